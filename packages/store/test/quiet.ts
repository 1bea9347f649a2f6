import type { StoreLog } from "../src/index.ts";

/** A log that says nothing. */
export const quiet: StoreLog = { info: () => undefined, warn: () => undefined };
