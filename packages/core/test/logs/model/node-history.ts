import { checkChunks } from "./chunk-check.ts";
import type { StoredLine } from "./decode.ts";
import type { History } from "./history.ts";
import { checkNodeStream, type NodeFigures } from "./node-check.ts";
import { NodeCollector } from "./node-collector.ts";
import { Random } from "./random.ts";
import { StreamStore } from "./store.ts";
import { World } from "./world.ts";

export interface NodeOutcome extends NodeFigures {
  lines: StoredLine[];
  gaps: number;
  rotations: number;
}

/** Collects a history's log from the node's files, and checks what was stored. @throws Error */
export function runNodeHistory(history: History): NodeOutcome {
  const world = new World(history);
  const store = new StreamStore<string>();
  const collector = new NodeCollector(world, new Random(history.seed + 2), store);
  collector.run();
  const lines = checkChunks(store.chunks);
  const { entries, fileStarts, rotations } = world;
  const gaps = store.gaps.map((gap) => ({ ...gap, files: collector.filesAtGaps.get(gap.seq) ?? [] }));
  // Of two files one is gone for a moment during each rotation, and the other is the current one: then nothing shows it.
  const rotatedBeforeStart = collector.rotatedBeforeStart || history.maxFiles === 2;
  const figures = checkNodeStream({ lines, gaps }, { entries, fileStarts, rotatedBeforeStart });
  if (collector.malformed > 0) throw new Error(`${collector.malformed} lines of the files were no entries`);
  return { ...figures, lines, gaps: gaps.length, rotations };
}
