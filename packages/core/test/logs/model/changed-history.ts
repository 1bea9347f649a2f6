import { ApiCollector } from "./api-collector.ts";
import { checkApiStream, type ApiFigures } from "./api-check.ts";
import { checkChunks } from "./chunk-check.ts";
import type { History } from "./history.ts";
import { NodeCollector } from "./node-collector.ts";
import { Random } from "./random.ts";
import { StreamStore } from "./store.ts";
import { World } from "./world.ts";

export interface ChangedOutcome extends ApiFigures {
  gaps: number;
  /** Lines from each of the sources. */
  fromNode: number;
  fromApi: number;
}

/**
 * Collects a history's log from the node's files first and goes on with the log API, and checks what was stored. Nothing
 * may be glued in it: the node's lines are whole.
 *
 * @throws Error
 */
export function runChangedHistory(history: History): ChangedOutcome {
  const world = new World(history);
  const random = new Random(history.seed + 3);
  const fromNode = new StreamStore<string>();
  const node = new NodeCollector(world, random, fromNode);
  node.runFor(random.below(25));
  // What the node's files lost is checked elsewhere; then the log API begins anew.
  const whole = !node.rotatedBeforeStart && history.maxFiles > 2 && fromNode.gaps.length === 0;
  const store = new StreamStore<null>(whole ? fromNode : undefined);
  const api = new ApiCollector(world, random, store);
  api.run();
  const lines = checkChunks(store.chunks);
  const { entries, fileStarts, rotations } = world;
  const gaps = new Set(store.gaps.map(({ seq }) => seq));
  if (gaps.size > 0 && rotations === 0) throw new Error("a gap, and nothing was rotated");
  const first = store.chunks[0]?.standardStreams === true ? 0 : (fileStarts[api.firstFile] ?? 0);
  const figures = checkApiStream({ lines, gaps }, { entries, fileStarts, begin: first });
  const count = (standardStreams: boolean): number =>
    store.chunks.reduce((sum, chunk) => sum + (chunk.standardStreams === standardStreams ? chunk.lines : 0), 0);
  return { ...figures, gaps: gaps.size, fromNode: count(true), fromApi: count(false) };
}
