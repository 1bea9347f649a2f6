// Follows the containers of one TestRun's pods into PostgreSQL with the parts of the server, and tells when each chunk was
// committed.

import type { LogStore } from "@tailrace/core";
import { openCollecting, ownedByStep, type CollectingRequest } from "./collecting.ts";
import { nextFromParent, readRequest, tellParent } from "./parent.ts";
import { readUse, type ProcessUse } from "./processes.ts";
import { makeStep } from "./step.ts";

export interface LiveRequest extends CollectingRequest {
  /** The value of the pods' label `k6_cr`. */
  testRun: string;
  /** Containers that there will be. */
  containers: number;
}

/** Lines of one stream that were committed at one moment, in milliseconds since the epoch. */
export interface Committed {
  stream: number;
  day: string;
  firstSeq: number;
  lines: number;
  at: number;
}

export type LiveAnswer =
  /** It is told before there are pods. */
  | { kind: "started"; teamId: string; runId: string }
  /** All containers have ended and are sealed. */
  | { kind: "sealed"; commits: Committed[]; lines: number; use: ProcessUse };

const request = readRequest() as LiveRequest;
const commits: Committed[] = [];
await using parts = new AsyncDisposableStack();
const { store, cluster, collector } = await openCollecting(request, parts, watchCommits);
const view = parts.adopt(cluster.watch(), (it) => it.close());
const step = await makeStep(store, request.testRun);
const lost = Promise.withResolvers<never>();
const collecting = collector.collect(step, () => lost.reject(new Error("a stream was lost")));
view.onChange(() => {
  if (view.synced) collecting.observe(ownedByStep(step, view.observe(request.testRun).pods));
});
await tellParent({ kind: "started", teamId: step.teamId, runId: step.runId } satisfies LiveAnswer);
// Asked when the pods have ended.
await nextFromParent<object>();
await Promise.race([allSealed(), lost.promise]);
const lines = collecting.tasks.reduce((sum, { storedSeq }) => sum + storedSeq, 0);
await tellParent({ kind: "sealed", commits, lines, use: (await readUse("self"))! } satisfies LiveAnswer);
await parts.disposeAsync();
process.disconnect();

async function allSealed(): Promise<void> {
  await Promise.all(collecting.tasks.map(({ done }) => done));
  if (collecting.tasks.length !== request.containers)
    throw new Error(`${collecting.tasks.length} of ${request.containers} containers were followed`);
}

function watchCommits(store: LogStore): LogStore {
  return {
    ...store,
    async commitLogs(batch) {
      const outcomes = await store.commitLogs(batch);
      const at = Date.now();
      for (const [index, { stream, chunks }] of batch.entries()) {
        if (outcomes[index] !== "committed") continue;
        for (const { firstSeq, lines } of chunks)
          commits.push({ stream: stream.id, day: stream.day, firstSeq, lines, at });
      }
      return outcomes;
    },
  };
}
