// Reads a run's lines page by page through the store, each time when PostgreSQL has told that there are more.

import type { LogPageQuery, LogPlace } from "@tailrace/core";
import { openLog } from "@tailrace/server";
import { openStore } from "@tailrace/store";
import { nextFromParent, readRequest, tellParent } from "./parent.ts";
import { readUse, type ProcessUse } from "./processes.ts";
import { LagSamples, type LagSummary } from "./statistics.ts";

export interface ReaderRequest {
  databaseUrl: string;
  teamId: string;
  runId: string;
  settleMs: number;
}

/** What the reader is told at the end: how many lines it is to have. */
export interface ReaderEnd {
  lines: number;
}

export interface ReaderAnswer {
  /** From a line's time to the moment when the reader had it. */
  lag: LagSummary | null;
  lines: number;
  pages: number;
  use: ProcessUse;
}

/** As the store allows. */
const PAGE_LINES = 10_000;
/** A notification may be missed. */
const FALLBACK_MS = 1000;

const { databaseUrl, teamId, runId, settleMs } = readRequest() as ReaderRequest;
const log = openLog({ logLevel: "warn", logFormat: "json" }, false);
await using store = await openStore({ databaseUrl, log });
const never = new AbortController().signal;
const samples = new LagSamples();
let wake: () => void = () => undefined;
let woken = true;
let place: LogPlace = [];
let lines = 0;
let pages = 0;
let expected = Infinity;
const unsubscribe = store.onLogsWritten((written) => {
  if (written !== runId) return;
  woken = true;
  wake();
});
const end = nextFromParent<ReaderEnd>().then((told) => {
  expected = told.lines;
  wake();
});
while (lines < expected) {
  if (!woken) await untilWoken();
  woken = false;
  while (!(await readPage())) pages += 1;
  pages += 1;
}
await end;
unsubscribe();
const use = (await readUse("self"))!;
await tellParent({ lag: samples.summary(settleMs), lines, pages, use } satisfies ReaderAnswer);
await store.close();
process.disconnect();

/** @returns false when there is more */
async function readPage(): Promise<boolean> {
  const streams = await store.listLogStreams(teamId, runId);
  if (streams === null) throw new Error("the run is not there");
  const query: LogPageQuery = {
    streams,
    filter: { include: [], exclude: [], ignoreCase: false, levels: null },
    start: { place },
    direction: "forward",
    until: null,
    limit: PAGE_LINES,
    before: 0,
    after: 0,
  };
  const page = await store.readLogPage(query, never);
  const now = Date.now();
  for (const entry of page.entries) {
    if (entry.kind !== "line") continue;
    const time = Number(entry.time) / 1e6;
    samples.add(time, now - time);
    lines += 1;
  }
  place = page.end;
  return page.atEnd;
}

async function untilWoken(): Promise<void> {
  await new Promise<void>((resolve) => {
    wake = resolve;
    setTimeout(resolve, FALLBACK_MS);
  });
}
