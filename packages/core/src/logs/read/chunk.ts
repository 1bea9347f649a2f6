// What a thread needs that does nothing but search chunks; the whole of core takes several times as long to load.
export type { Chunk, StoredChunk } from "../chunk/chunk.ts";
export { free, freeLarge } from "../chunk/free-large.ts";
export { ChunkError, ChunkLines } from "../chunk/read.ts";
export { levelBit } from "../lines/level.ts";
export { RunningMaximum } from "./running-maximum.ts";
