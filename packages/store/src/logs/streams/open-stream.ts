import type { ContainerInstance, StreamRecord } from "@tailrace/core";
import type pg from "pg";
import { inTransaction, type Queryable } from "../../database.ts";
import { ensureDay } from "../retention/ensure-day.ts";
import { STREAM_COLUMNS, toStreamRecord, type StreamRow } from "./rows.ts";

export interface OpenStream {
  stepId: string;
  fence: number;
  instance: ContainerInstance;
}

/**
 * Two statements: the run's lock makes those that open streams of one run take turns, and a snapshot taken behind it sees
 * the ordinals that were given. It locks run, step and stream in the order of every writer.
 */
export async function openStream(pool: pg.Pool, open: OpenStream): Promise<StreamRecord | null> {
  const record = await inTransaction(pool, async (client) => {
    await lockRun(client, open.stepId);
    return await upsertStream(client, open);
  });
  if (record === null) return null;
  return (await ensureDay(pool, record.day)) ? record : null;
}

async function lockRun(client: Queryable, stepId: string): Promise<void> {
  await client.query(
    `select from test_runs where id = (select run_id from test_run_steps where id = $1) for no key update`,
    [stepId],
  );
}

/** A commit of the former holder that is under way has the row's lock: its lines are in what this returns. */
async function upsertStream(client: Queryable, { stepId, fence, instance }: OpenStream): Promise<StreamRecord | null> {
  const { rows } = await client.query<StreamRow>(
    `with step as (
       select t.id, t.run_id, t.fence, (r.created_at at time zone 'UTC')::date as day
       from test_run_steps t join test_runs r on r.id = t.run_id
       where t.id = $1 and t.fence = $2
       for share of t
     )
     insert into log_streams as s
       (step_id, run_id, day, ordinal, pod, pod_uid, container, restart, role, runner, named, fence, counts)
     select id, run_id, day, (select count(*) from log_streams o where o.run_id = step.run_id),
       $3, $4, $5, $6, $7, $8, $9, fence, '{"unglued": 0, "headRests": 0, "malformed": 0}'
     from step
     on conflict (step_id, pod_uid, container, restart) do update set fence = excluded.fence
       where s.fence <= excluded.fence and s.expired_at is null
     returning ${STREAM_COLUMNS}`,
    [
      stepId,
      fence,
      instance.pod,
      instance.podUid,
      instance.container,
      instance.restart,
      instance.role,
      instance.runner,
      instance.named,
    ],
  );
  return rows[0] === undefined ? null : toStreamRecord(rows[0]);
}
