import { TailraceError } from "@tailrace/core";
import type { z } from "zod";
import { requireRole } from "../../auth/access.ts";
import type { Call } from "../../context.ts";
import type { runsGet } from "../../schemas/runs.ts";
import { runNotFound } from "./find.ts";

/** @throws TailraceError CONFLICT while the run is active */
export async function deleteRun({ ctx, input }: Call<z.output<typeof runsGet>>): Promise<void> {
  await requireRole(ctx, input.teamId, "admin");
  const result = await ctx.store.deleteRun(input.teamId, input.runId);
  if (result === "not_found") throw runNotFound(input.runId);
  if (result === "active") {
    throw new TailraceError(
      "CONFLICT",
      `test run "${input.runId}" is active; stop it first and delete it when it has ended`,
    );
  }
}
