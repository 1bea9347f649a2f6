import { expect, test } from "vitest";
import { ChunkOrder, type Direction, type OrderedChunk } from "../../src/logs/read/chunk-order.ts";
import type { LiveStream } from "../../src/logs/read/live-streams.ts";
import { mergeLines } from "../../src/logs/read/merge-lines.ts";
import { OpenChunk } from "../../src/logs/read/open-chunk.ts";
import { buildChunks, countedLines, show } from "./support.ts";

const LINES = 30;
const stream: LiveStream = {
  id: 1,
  day: "2026-11-24",
  ordinal: 0,
  lines: LINES,
  end: LINES,
  maxTime: 0n,
  gaps: 0,
};
const chunks = buildChunks(countedLines("line", LINES), { linesPerChunk: 10 });

/** Merges the first lines of three chunks of ten. @returns the lines, and the first lines of the chunks that were opened */
async function merge(direction: Direction, lines: number) {
  const opened: number[] = [];
  const places = direction === "forward" ? chunks : chunks.toReversed();
  const order = await ChunkOrder.open(
    [{ stream, from: 0, until: LINES }],
    direction,
    async () => new Map([[1, places]]),
  );
  const open = async (wanted: readonly OrderedChunk[]): Promise<OpenChunk[]> =>
    wanted.map(({ place }) => {
      opened.push(place.firstSeq);
      return new OpenChunk(chunks[place.firstSeq / 10]!);
    });
  const { signal } = new AbortController();
  const merged = await mergeLines(order, { direction, limits: { lines, bytes: 1_000 }, open, signal });
  return { texts: merged.lines.map(show), next: merged.next.get(0), cut: merged.cut, opened };
}

test.each([
  ["forward", 10, { next: 10, opened: [0] }],
  ["forward", 11, { next: 11, opened: [0, 10] }],
  ["forward", 30, { next: undefined, opened: [0, 10, 20] }],
  ["backward", 10, { next: 19, opened: [20] }],
  ["backward", 12, { next: 17, opened: [20, 10] }],
] as const)("%s, %i lines open no chunk that has none of them", async (direction, lines, expected) => {
  const { texts, ...merged } = await merge(direction, lines);
  expect(merged).toEqual({ ...expected, cut: false });
  const seqs = Array.from({ length: lines }, (_, at) => (direction === "forward" ? at : LINES - 1 - at));
  expect(texts).toEqual(seqs.map((seq) => `0:${seq} line ${seq}`));
});
