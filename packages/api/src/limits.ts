/** The largest body of requests that hold a script, in bytes: 4 MiB. */
export const LARGE_BODY_BYTES = 4 * 1024 * 1024;

/** The largest body of every other request, in bytes: 64 KiB. A batch of calls is one request. */
export const BODY_BYTES = 64 * 1024;

/** How many calls one tRPC batch may have. */
export const MAX_BATCH_SIZE = 10;

/** How many downloads of logs may be under way at once; each needs some MiB of memory for every container. */
export const MAX_DOWNLOADS = 16;

/** How long a client may take nothing of a download before it is ended, in milliseconds: two minutes. */
export const DOWNLOAD_STALL_MS = 120_000;

/** How long a page may wait for something to show, in milliseconds: half a minute, as proxies cut what is silent for a whole one. */
export const MAX_WAIT_MS = 30_000;
