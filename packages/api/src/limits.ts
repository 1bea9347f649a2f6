/** The largest body of requests that hold a script, in bytes: 4 MiB. */
export const LARGE_BODY_BYTES = 4 * 1024 * 1024;

/** The largest body of every other request, in bytes: 64 KiB. A batch of calls is one request. */
export const BODY_BYTES = 64 * 1024;

/** How many calls one tRPC batch may have. */
export const MAX_BATCH_SIZE = 10;
