import { randomUUID } from "node:crypto";
import type { BufferPool, Chunk, LogStore, PodLogs, StoredChunk } from "@tailrace/core";
import type { Logger } from "pino";
import { Gate } from "../supervisor/gate.ts";
import { ChunkBuffers } from "./buffers.ts";
import { Committer } from "./committer.ts";
import type { CollectorMetrics } from "./metrics.ts";
import type { NodeAccess } from "./node-access.ts";
import { adoptSpools, openSpoolFolder } from "./spool/folder.ts";
import { StreamAdmission } from "./stream-admission.ts";
import { StepCollector, type CollectedStep } from "./step-collector.ts";

export interface CollectorOptions {
  store: LogStore;
  openChunk: (stored: StoredChunk) => Promise<Chunk>;
  storeChunk: (chunk: Chunk) => Promise<StoredChunk>;
  podLogs: PodLogs;
  access: NodeAccess;
  spoolDirectory: string;
  /** In bytes. */
  spoolLimit: number;
  metrics: CollectorMetrics;
  log: Logger;
}

/** How long what was read may take to be stored when the server ends; the rest waits on the disk for the next one. */
const CLOSE_MS = 5_000;

/** Reads the logs of all steps that this server holds. */
export interface Collector extends AsyncDisposable {
  /** @param onLost - told once when another process has a stream of the step */
  collect(step: CollectedStep, onLost: () => void): StepCollector;
}

/** Opens the spool, and first hands over what a server before has left in its own. */
export async function openCollector(options: CollectorOptions): Promise<Collector> {
  const { store, openChunk, storeChunk, podLogs, access, metrics, log } = options;
  await adoptSpools(options.spoolDirectory, store, log);
  const folder = await openSpoolFolder(options.spoolDirectory, randomUUID(), log);
  const pool: BufferPool = new ChunkBuffers();
  const committer = new Committer({
    store,
    storeChunk,
    release: (buffer) => pool.release(buffer),
    spool: folder.queue,
    spoolLimit: options.spoolLimit,
    log,
    onCommitted: (chunks, readAt) => metrics.committed(chunks, readAt),
  });
  // Outlives the streams, which are begun anew when the lease was lost meanwhile.
  const admission = new StreamAdmission(committer);
  const compactions = new Gate(1);
  const steps = new Set<StepCollector>();
  metrics.watch({ pressure: () => committer.pressure, tasks: () => [...steps].flatMap(({ tasks }) => tasks) });
  return {
    collect(step, onLost) {
      const deps = { store, openChunk, storeChunk, pool, committer, admission, compactions, access, podLogs, log };
      const collector: StepCollector = new StepCollector(
        {
          ...deps,
          onReopen: (source, reason) => metrics.reopened(source, reason),
          onGap: ({ reason }) => metrics.gap(reason),
          onSealed: ({ verified }) => metrics.sealed(verified),
          onUnjoined: () => metrics.unjoined(),
          onLost,
        },
        step,
        () => steps.delete(collector),
      );
      steps.add(collector);
      return collector;
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(Array.from(steps, (step) => step.close()));
      await committer.close(CLOSE_MS);
      await folder[Symbol.asyncDispose]();
    },
  };
}
