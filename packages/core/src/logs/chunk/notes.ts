import { VarintReader, unzigzag, writeVarint, zigzag } from "./varint.ts";

/**
 * What else is known of one line of a chunk. `pods/log` glued another line into this one and began its rest under a time
 * of its own; what the API really said is needed to find the place again after a break.
 */
export interface UngluedNote {
  /** The line's index in its chunk. The line that was glued in is the one before it. */
  index: number;
  /** How many bytes of the line stood before what was glued in. */
  head: number;
  /** The time under which the rest came, relative to the line's own, in nanoseconds. */
  restDelay: number;
}

/** Nothing for no notes. */
export function writeNotes(notes: readonly UngluedNote[]): Uint8Array {
  const bytes = new Uint8Array(notes.length * 24);
  let at = 0;
  for (const { index, head, restDelay } of notes) {
    at = writeVarint(bytes, at, index);
    at = writeVarint(bytes, at, head);
    at = writeVarint(bytes, at, zigzag(restDelay));
  }
  return bytes.subarray(0, at);
}

export function readNotes(bytes: Uint8Array): UngluedNote[] {
  const reader = new VarintReader(bytes);
  const notes: UngluedNote[] = [];
  while (reader.at < bytes.length)
    notes.push({ index: reader.next(), head: reader.next(), restDelay: unzigzag(reader.next()) });
  return notes;
}
