import type { Chunk } from "../chunk/chunk.ts";
import { chunkNotes, ChunkLines } from "../chunk/read.ts";
import { Hash64 } from "../lines/hash.ts";
import type { Marks } from "./marks.ts";

/** Adds the marks of a chunk's lines as the log API gave, or would give, them. */
export function markLines(marks: Marks, chunk: Chunk): void {
  const notes = new Map(chunkNotes(chunk).map((note) => [note.index, note]));
  const { payload } = chunk;
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
  const hash = new Hash64();
  const push = (bytes: DataView, start: number, end: number, seconds: number, nanos: number): void =>
    marks.pushLine(seconds, nanos, hash.update(bytes, start, end), bytes, start, end);
  let before = { start: 0, end: 0 };
  for (const lines = new ChunkLines(chunk); lines.next();) {
    const { start, end, seconds, nanos, index } = lines;
    const note = notes.get(index);
    if (note !== undefined) {
      // The API gave the line before glued behind this one's head, and the rest under a time of its own.
      const glued = new Uint8Array(note.head + before.end - before.start);
      glued.set(payload.subarray(start, start + note.head));
      glued.set(payload.subarray(before.start, before.end), note.head);
      push(new DataView(glued.buffer), 0, glued.length, seconds, nanos);
      const late = nanos + note.restDelay;
      const carry = Math.floor(late / 1_000_000_000);
      push(view, start + note.head, end, seconds + carry, late - carry * 1_000_000_000);
    } else if (!notes.has(index + 1)) push(view, start, end, seconds, nanos);
    before = { start, end };
  }
}
