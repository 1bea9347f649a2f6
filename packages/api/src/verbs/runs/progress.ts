import { createHash } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { type RunProgress as StoredProgress, isEnded } from "@tailrace/core";
import type { z } from "zod";
import { requireRole } from "../../auth/access.ts";
import { type ApiContext, type Call, NEVER } from "../../context.ts";
import type { runsProgress } from "../../schemas/runs.ts";
import { runNotFound } from "./find.ts";

/** Where a run stands, without its logs. */
export interface RunProgress extends StoredProgress {
  /** Another one for each state of the run: given back as `known`, the next answer waits for what is not known yet. */
  revision: string;
}

/** How often a run that is waited for is looked at: its status changes a few times in its life. */
const POLL_MS = 500;

/**
 * Waits up to `wait` for the run to be in another state than `known`. A run that has ended is answered at once, and so
 * is what the server has when it ends itself.
 */
export async function awaitProgress({
  ctx,
  input,
  signal = NEVER,
}: Call<z.output<typeof runsProgress>>): Promise<RunProgress> {
  const { teamId, runId, known, wait = 0 } = input;
  await requireRole(ctx, teamId, "viewer");
  const deadline = performance.now() + wait;
  const either = AbortSignal.any([signal, ctx.closing]);
  for (;;) {
    const progress = await findProgress(ctx, teamId, runId);
    const left = deadline - performance.now();
    if (progress.revision !== known || isEnded(progress.status) || left <= 0 || either.aborted) return progress;
    await untilThen(Math.min(left, POLL_MS), either);
  }
}

async function findProgress(ctx: ApiContext, teamId: string, runId: string): Promise<RunProgress> {
  const progress = await ctx.store.getRunProgress(teamId, runId);
  if (progress === null) throw runNotFound(runId);
  return { ...progress, revision: createHash("sha256").update(JSON.stringify(progress)).digest("base64url") };
}

/** Resolves after `ms`, or when the signal aborts. */
async function untilThen(ms: number, signal: AbortSignal): Promise<void> {
  await delay(ms, undefined, { signal }).catch((error: unknown) => {
    if (!signal.aborted) throw error;
  });
}
