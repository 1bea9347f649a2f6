import { extname } from "node:path";

/** Bytes of a file's beginning that its type is told by. */
export const SNIFFED_BYTES = 512;

/** What the node's MIME table says of the files in its log folder. */
const BY_EXTENSION: Record<string, string> = {
  ".log": "text/x-log; charset=utf-8",
  ".gz": "application/gzip",
  ".txt": "text/plain; charset=utf-8",
};

/**
 * The `Content-Type` of a file, as Go's file server gives it: by the extension where that is known, else by the beginning.
 * A rotated log's extension is its time, so that it is told by what it contains (net/http, DetectContentType).
 */
export function contentType(name: string, beginning: Buffer): string {
  const known = BY_EXTENSION[extname(name)];
  if (known !== undefined) return known;
  return beginning.some(isBinary) ? "application/octet-stream" : "text/plain; charset=utf-8";
}

/** https://mimesniff.spec.whatwg.org/#binary-data-byte */
function isBinary(byte: number): boolean {
  return byte <= 0x08 || byte === 0x0b || (byte >= 0x0e && byte <= 0x1a) || (byte >= 0x1c && byte <= 0x1f);
}
