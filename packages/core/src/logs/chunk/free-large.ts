/** What Node allocates up to this size may lie in memory that it shares out. */
const SHARED_BYTES = 256 * 1024;

/**
 * Gives large memory back at once: whatever lies in it is empty afterwards. Garbage of such a size would make the
 * collector look through the whole heap again and again, or pile up to hundreds of megabytes.
 */
export function freeLarge(buffer: ArrayBufferLike): void {
  if (buffer.byteLength > SHARED_BYTES) free(buffer);
}

/** As {@link freeLarge}, for memory of any size that nothing else shares. */
export function free(buffer: ArrayBufferLike): void {
  (buffer as ArrayBuffer).transfer(0);
}
