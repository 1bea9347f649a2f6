import type { CreateRunResult } from "@tailrace/core";
import type { Db } from "../database.ts";
import { getRun } from "./get-run.ts";
import { findIdempotencyKey } from "./idempotency-keys.ts";

/** What a request with a key that was used before gets; null for a new key. */
export async function findRepeatedRun(
  db: Db,
  teamId: string,
  { key, requestHash }: { key: string; requestHash: string },
): Promise<Extract<CreateRunResult, { kind: "replayed" | "key_reused" }> | null> {
  const used = await findIdempotencyKey(db, teamId, key);
  if (used === null) return null;
  const run = used.requestHash === requestHash ? await getRun(db, teamId, used.runId) : null;
  return run === null ? { kind: "key_reused" } : { kind: "replayed", run };
}
