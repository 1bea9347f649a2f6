// Searches through the store in a process of its own, whenever it is asked to, and says what that took.

import type { LogFilter } from "@tailrace/core";
import { openLog } from "@tailrace/server";
import { openStore } from "@tailrace/store";
import { nextFromParent, readRequest, tellParent } from "./parent.ts";
import { readUse, type ProcessUse } from "./processes.ts";

export interface SearchRequest {
  databaseUrl: string;
  teamId: string;
  runId: string;
}

export interface SearchQuestion {
  /** Null to end. */
  filter: LogFilter | null;
}

export interface SearchAnswer {
  milliseconds: number;
  matches: number;
  complete: boolean;
  use: ProcessUse;
}

const { databaseUrl, teamId, runId } = readRequest() as SearchRequest;
const log = openLog({ logLevel: "warn", logFormat: "json" }, false);
const store = await openStore({ databaseUrl, log });
const never = new AbortController().signal;
for (;;) {
  const { filter } = await nextFromParent<SearchQuestion>();
  if (filter === null) break;
  const started = performance.now();
  const streams = await store.listLogStreams(teamId, runId);
  if (streams === null) throw new Error("the run is not there");
  const query = { streams, filter, from: null, until: null, bucketMs: null };
  const { matches, complete } = await store.searchLogs(query, never);
  const milliseconds = performance.now() - started;
  await tellParent({ milliseconds, matches, complete, use: (await readUse("self"))! } satisfies SearchAnswer);
}
await store.close();
process.disconnect();
