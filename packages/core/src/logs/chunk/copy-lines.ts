import type { ChunkBuilder } from "./builder.ts";
import type { Chunk } from "./chunk.ts";
import { chunkNotes, ChunkLines } from "./read.ts";

/**
 * Puts a chunk's lines behind those of a builder, with what is noted of them.
 *
 * @param from - the index of the first one
 */
export function copyLines(chunk: Chunk, builder: ChunkBuilder, from = 0): void {
  const notes = new Map(chunkNotes(chunk).map((note) => [note.index, note]));
  for (const lines = new ChunkLines(chunk); lines.next();) {
    if (lines.index < from) continue;
    const bytes = chunk.payload.subarray(lines.start, lines.end);
    builder.reserve(bytes.length);
    builder.bytes.set(bytes, builder.end);
    builder.line(builder.end + bytes.length, lines.seconds, lines.nanos, lines.flags);
    const note = notes.get(lines.index);
    if (note !== undefined) builder.note(note.head, note.restDelay);
  }
}
