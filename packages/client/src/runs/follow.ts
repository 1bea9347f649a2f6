import type { AppRouter, LogItem, LogPage, RouterInputs, RunProgress } from "@tailrace/api";
import { isEnded, type StepProgress } from "@tailrace/core";
import type { TRPCClient } from "@trpc/client";
import { persist, type CallOptions, type Persistence } from "./persist.ts";

/** How long the server holds a request for which there is nothing yet: less than what proxies cut. */
const WAIT = "25s";
/** As the server allows. */
const PAGE_LINES = 1000;

type PageInput = RouterInputs["logs"]["page"];

/** Which lines, and from where on; see the procedure `logs.page`. */
export interface LogOptions extends Omit<PageInput, "teamId" | "runId" | "direction" | "wait">, Persistence {
  /** Go on with what is written, until the run has ended and all of its lines were given. (Default: false) */
  follow?: boolean | undefined;
}

/** Which run, and with what it is asked about. */
export interface RunCalls {
  trpc: TRPCClient<AppRouter>;
  run: { teamId: string; runId: string };
  /** The client's own. */
  signal: AbortSignal | undefined;
}

/** Each page once, whatever happens to the connection: what was not received is asked for again. */
export async function* readPages(
  { trpc, run, signal: clientSignal }: RunCalls,
  { follow = false, signal, patienceMs, ...input }: LogOptions = {},
): AsyncGenerator<LogPage, void, undefined> {
  let { cursor } = input;
  for (;;) {
    const wanted: PageInput = {
      limit: PAGE_LINES,
      ...input,
      ...run,
      ...(cursor === undefined ? {} : { cursor }),
      ...(follow ? { wait: WAIT } : {}),
    };
    const ask = (call: CallOptions): Promise<LogPage> => trpc.logs.page.query(wanted, call);
    const page = await persist(ask, { signal, patienceMs }, clientSignal);
    if (page.items.length > 0) yield page;
    const isAtEnd = page.items.length === 0 && page.complete;
    if (page.nextCursor === null || (isAtEnd && !follow)) return;
    cursor = page.nextCursor;
  }
}

export async function* readItems(calls: RunCalls, options?: LogOptions): AsyncGenerator<LogItem, void, undefined> {
  for await (const { items } of readPages(calls, options)) yield* items;
}

/** Where the run stands, now and after each change, until it has ended. */
export async function* watchProgress(
  { trpc, run, signal: clientSignal }: RunCalls,
  { signal, patienceMs }: Persistence = {},
): AsyncGenerator<RunProgress, void, undefined> {
  let known: string | undefined;
  for (;;) {
    const wanted = { ...run, ...(known === undefined ? {} : { known, wait: WAIT }) };
    const ask = (call: CallOptions): Promise<RunProgress> => trpc.runs.progress.query(wanted, call);
    const progress = await persist(ask, { signal, patienceMs }, clientSignal);
    if (progress.revision !== known) yield progress;
    if (isEnded(progress.status)) return;
    known = progress.revision;
  }
}

/** Each step of the run, now and after each of its changes. */
export async function* watchSteps(
  calls: RunCalls,
  options?: Persistence,
): AsyncGenerator<StepProgress, void, undefined> {
  const told = new Map<string, string>();
  for await (const { steps } of watchProgress(calls, options))
    for (const step of steps) {
      const text = JSON.stringify(step);
      if (told.get(step.name) === text) continue;
      told.set(step.name, text);
      yield step;
    }
}
