import type { RunStatus } from "@tailrace/core";
import type { z } from "zod";
import { requireRole } from "../../auth/access.ts";
import type { Call } from "../../context.ts";
import type { runsGet } from "../../schemas/runs.ts";
import { findRun } from "../runs/find.ts";

/** The container output logs of a run as they are stored now. */
export interface LogSnapshot {
  runId: string;
  status: RunStatus;
  /** The steps' logs in order, with headers for multiple containers; empty before the first was read. */
  text: string;
}

export async function snapshotLogs({ ctx, input }: Call<z.output<typeof runsGet>>): Promise<LogSnapshot> {
  await requireRole(ctx, input.teamId, "viewer");
  const run = await findRun(ctx, input.teamId, input.runId);
  const texts = run.steps.map((step) => step.containerLogs ?? "").filter((text) => text !== "");
  return { runId: run.id, status: run.status, text: texts.join("\n") };
}
