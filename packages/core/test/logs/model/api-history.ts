import { ApiCollector } from "./api-collector.ts";
import { checkApiStream, type ApiFigures } from "./api-check.ts";
import { checkChunks } from "./chunk-check.ts";
import type { StoredLine } from "./decode.ts";
import type { History } from "./history.ts";
import { Random } from "./random.ts";
import { StreamStore } from "./store.ts";
import { World } from "./world.ts";

export interface ApiOutcome extends ApiFigures {
  /** Entries of files that had been rotated away before the first answer. */
  missedEntries: number;
  lines: StoredLine[];
  gaps: number;
  unglued: number;
  headRests: number;
  foundInWhole: number;
  rotations: number;
}

/** Collects a history's log through the log API, and checks what was stored. @throws Error */
export function runApiHistory(history: History): ApiOutcome {
  const world = new World(history);
  const store = new StreamStore<null>();
  const collector = new ApiCollector(world, new Random(history.seed + 1), store);
  collector.run();
  const lines = checkChunks(store.chunks);
  const { entries, fileStarts, rotations } = world;
  const gaps = new Set(store.gaps.map(({ seq }) => seq));
  if (gaps.size > 0 && rotations === 0) throw new Error("a gap, and nothing was rotated");
  const begin = fileStarts[collector.firstFile] ?? 0;
  const figures = checkApiStream({ lines, gaps }, { entries, fileStarts, begin });
  const { unglued, headRests, foundInWhole } = collector;
  return { ...figures, missedEntries: begin, lines, gaps: gaps.size, unglued, headRests, foundInWhole, rotations };
}
