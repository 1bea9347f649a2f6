import { ClusterError } from "@tailrace/core";
import { setTimeout as sleep } from "node:timers/promises";
import { answerError } from "../answer-error.ts";
import { Deadline } from "../deadline.ts";
import { type KubernetesObject, listAll } from "../list.ts";
import type { Logger } from "../log.ts";
import { withQuery } from "../paths.ts";
import type { Transport } from "../transport.ts";
import { type ObjectEvent, readEvent } from "./event.ts";
import { LineSplitter } from "./line-splitter.ts";
import { type Ending, nextAttempt, type Progress } from "./next-attempt.ts";
import { jitter, type WatchSettings } from "./settings.ts";

/** One kind to follow, and who is told. */
export interface Reflection<T> {
  path: string;
  labelSelector: string | undefined;
  onList(items: T[]): void;
  onEvent(event: ObjectEvent<T>): void;
  /** `null`: the watch is connected; else why it is not. */
  onProblem(problem: string | null): void;
}

export interface ReflectorContext {
  transport: Transport;
  settings: WatchSettings;
  log: Logger;
}

/** An object of the API server is at most 1.5 MiB in etcd; JSON and managedFields can make it longer. */
const MAX_EVENT_BYTES = 16 * 1024 * 1024;

/** A watch that lasted so long did its work even if nothing happened. */
const SHORT_WATCH_MS = 1000;

/** Follows one kind by list and watch, for ever, until the signal aborts. Never rejects for what a server does. */
export async function reflect<T extends KubernetesObject>(
  reflection: Reflection<T>,
  context: ReflectorContext,
  signal: AbortSignal,
): Promise<void> {
  const { settings, log } = context;
  let progress: Progress = { resourceVersion: null, failures: 0 };
  let relistAt = 0;
  while (!signal.aborted) {
    if (progress.resourceVersion === null) relistAt = performance.now() + jitter(settings.relistMs, Math.random());
    const ending = await attempt(reflection, context, progress.resourceVersion, relistAt, signal);
    if (signal.aborted) return;
    const next = nextAttempt(progress, ending, settings, Math.random());
    progress = next;
    if (next.problem !== undefined) {
      reflection.onProblem(next.problem);
      log.warn(
        { path: reflection.path, failures: next.failures, waitMs: Math.round(next.waitMs) },
        `watch: ${next.problem}`,
      );
    }
    if (next.waitMs > 0) await pause(next.waitMs, signal);
  }
}

async function attempt<T extends KubernetesObject>(
  reflection: Reflection<T>,
  context: ReflectorContext,
  resourceVersion: string | null,
  relistAt: number,
  signal: AbortSignal,
): Promise<Ending> {
  if (resourceVersion !== null) return await watch(reflection, context, resourceVersion, relistAt, signal);
  try {
    const list = await listAll<T>(context.transport, reflection.path, reflection.labelSelector, signal);
    reflection.onList(list.items);
    return await watch(reflection, context, list.resourceVersion, relistAt, signal);
  } catch (error) {
    return { kind: "failed", error: asClusterError(error), resourceVersion: null, progressed: false };
  }
}

async function watch<T extends KubernetesObject>(
  reflection: Reflection<T>,
  { transport, settings, log }: ReflectorContext,
  from: string,
  relistAt: number,
  signal: AbortSignal,
): Promise<Ending> {
  const what = `GET ${reflection.path} (watch)`;
  const started = performance.now();
  let resourceVersion = from;
  let received = false;
  const progressed = (): boolean => received || performance.now() - started >= SHORT_WATCH_MS;
  using relist = new Deadline(signal);
  using deadline = new Deadline(relist.signal);
  const relistDue = new ClusterError("timeout", "time to list again");
  const silent = new ClusterError("timeout", `${what}: silent for ${settings.inactivityMs} ms`);
  relist.set(Math.max(0, relistAt - performance.now()), relistDue);
  deadline.set(transport.timeoutMs, new ClusterError("timeout", `${what}: no answer in ${transport.timeoutMs} ms`));
  try {
    const path = watchPath(reflection, settings, resourceVersion);
    const answer = await transport.open({ method: "GET", path }, deadline.signal);
    if (answer.status !== 200) throw answerError(what, answer.status, answer.headers, await beginning(answer.body));
    reflection.onProblem(null);
    const lines = new LineSplitter(MAX_EVENT_BYTES);
    deadline.set(settings.inactivityMs, silent);
    for await (const chunk of answer.body) {
      deadline.set(settings.inactivityMs, silent);
      for (const line of lines.push(chunk)) {
        const event = readEvent<T>(line, what);
        if (event.type === "ERROR") throw event.error;
        received = true;
        if (event.type !== "BOOKMARK") reflection.onEvent(event);
        resourceVersion = event.resourceVersion;
      }
    }
    // What remains of an event that was cut comes again: the next watch continues before it.
    return { kind: "ended", resourceVersion, progressed: progressed() };
  } catch (error) {
    if (error === relistDue) return { kind: "relist" };
    if (error === silent) {
      log.debug({ path: reflection.path }, silent.message);
      return { kind: "ended", resourceVersion, progressed: progressed() };
    }
    return { kind: "failed", error: asClusterError(error), resourceVersion, progressed: progressed() };
  }
}

function watchPath(reflection: Reflection<never>, settings: WatchSettings, resourceVersion: string): string {
  const { labelSelector } = reflection;
  const timeoutSeconds = Math.max(1, Math.round(jitter(settings.timeoutSeconds, Math.random())));
  const query = { watch: true, allowWatchBookmarks: true, resourceVersion, timeoutSeconds };
  return withQuery(reflection.path, labelSelector === undefined ? query : { ...query, labelSelector });
}

/** As much of an error's body as is ever read. */
async function beginning(body: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body) {
    chunks.push(chunk);
    size += chunk.length;
    if (size > 64 * 1024) break;
  }
  return Buffer.concat(chunks);
}

function asClusterError(error: unknown): ClusterError {
  if (error instanceof ClusterError) return error;
  return new ClusterError("server_error", (error as Error).message, { cause: error });
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await sleep(ms, undefined, { signal });
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
