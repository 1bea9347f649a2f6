import type { LogSource } from "./streams.ts";

/** What is said of a stream to which nothing is added any more. */
export interface Seal {
  lines: number;
  /** What the container wrote: the lines' bytes, and a newline for each that had one. */
  bytes: number;
  /** SHA-256 of those bytes, as 64 hexadecimal digits. */
  sha256: string;
  /**
   * How much of it a second reading of the source agreed with: all, or what was there still after rotations. Null where
   * the source was gone before.
   */
  verified: "full" | "suffix" | null;
  verifiedBy: LogSource | null;
  /** Why the end of the output is not known, in one line; null where it is. */
  truncated: string | null;
}
