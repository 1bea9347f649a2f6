import type { LogItem, LogPage, RunProgress } from "@tailrace/api";
import type { StepProgress } from "@tailrace/core";
import type { Transport } from "../transport.ts";
import { download, downloadText, type DownloadOptions } from "./download.ts";
import { readItems, readPages, watchProgress, watchSteps, type LogOptions, type RunCalls } from "./follow.ts";
import { persist, type Persistence } from "./persist.ts";

/**
 * One test run. What waits and what follows goes on where it was after a server's restart or a cut connection: it waits for
 * the server for `patienceMs`, and then throws. All of it throws `TailraceClientError`.
 */
export interface RunHandle {
  readonly teamId: string;
  readonly id: string;
  /** Where the run stands, without its logs. */
  progress(options?: Persistence): Promise<RunProgress>;
  /** Where the run stands when it has ended. */
  wait(options?: Persistence): Promise<RunProgress>;
  /** The run's steps as they are, and each that changes, until the run has ended. */
  steps(options?: Persistence): AsyncGenerator<StepProgress, void, undefined>;
  /** Asks for the run's end, and does not wait for it. */
  stop(options?: Persistence): Promise<void>;
  /** Every line of every container once, in order, with the gaps among them; `follow` goes on until the run has ended. */
  logs(options?: LogOptions): AsyncGenerator<LogItem, void, undefined>;
  /** The same in pages, each with the cursor that another program can go on from. */
  pages(options?: LogOptions): AsyncGenerator<LogPage, void, undefined>;
  /** All that is stored, one container after the other, each below its `=== Container: … ===`. */
  text(options?: { signal?: AbortSignal | undefined }): Promise<string>;
  /** A whole log, as it is read from the server. */
  download(options?: DownloadOptions): Promise<ReadableStream<Uint8Array>>;
}

/** Nothing is sent before something is asked for. */
export function openRun(calls: RunCalls, transport: Transport): RunHandle {
  const { trpc, run, signal: clientSignal } = calls;
  return {
    teamId: run.teamId,
    id: run.runId,
    progress: (options = {}) => persist((call) => trpc.runs.progress.query(run, call), options, clientSignal),
    wait: async (options) => {
      let last: RunProgress | undefined;
      for await (const progress of watchProgress(calls, options)) last = progress;
      // There is always a first one.
      return last!;
    },
    steps: (options) => watchSteps(calls, options),
    stop: async (options = {}) => {
      await persist((call) => trpc.runs.stop.mutate(run, call), options, clientSignal);
    },
    logs: (options) => readItems(calls, options),
    pages: (options) => readPages(calls, options),
    text: ({ signal } = {}) => downloadText(transport, run, { signal }),
    download: async (options) => (await download(transport, run, options)).response.body!,
  };
}
