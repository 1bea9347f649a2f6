import type { LiveStream } from "./live-streams.ts";

/** A part of a stream: from a seq to the one before another, see {@link LiveStream.end}. */
export interface Window {
  stream: LiveStream;
  from: number;
  until: number;
}

export function clamp(value: number, least: number, most: number): number {
  return Math.max(least, Math.min(value, most));
}
