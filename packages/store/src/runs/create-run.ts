import { TailraceError, type CreateRunResult, type NewRun } from "@tailrace/core";
import type { Database } from "../database.ts";
import { announceStep } from "../steps/announce-step.ts";
import { countActiveRuns } from "./count-active-runs.ts";
import { findRepeatedRun } from "./find-repeated-run.ts";
import { deleteExpiredKeys, insertIdempotencyKey } from "./idempotency-keys.ts";
import { insertRun } from "./insert-run.ts";
import { lockTeam } from "./lock-team.ts";

/**
 * The team's row is locked first, so that counting its active runs and looking for the key are exact however many
 * calls come at once.
 *
 * @throws TailraceError NOT_FOUND when the team does not exist, CONFLICT when the id of run or step is taken.
 */
export function createRun(database: Database, run: NewRun): Promise<CreateRunResult> {
  return database.transaction(async (tx): Promise<CreateRunResult> => {
    if (!(await lockTeam(tx, run.teamId))) throw new TailraceError("NOT_FOUND", `no team ${run.teamId}`);
    if (run.idempotency !== undefined) {
      await deleteExpiredKeys(tx, run.teamId);
      const repeated = await findRepeatedRun(tx, run.teamId, run.idempotency);
      if (repeated !== null) return repeated;
    }
    const active = await countActiveRuns(tx, run.teamId);
    if (active >= run.maxActive) return { kind: "too_many_active", active };
    const created = await insertRun(tx, run);
    if (run.idempotency !== undefined) await insertIdempotencyKey(tx, run.teamId, run.id, run.idempotency);
    await announceStep(tx, run.step.id);
    return { kind: "created", run: created };
  });
}
