import { ENDED_STATUSES } from "@tailrace/core";
import type { Queryable } from "../../database.ts";

/**
 * Deletes what `log_removals` names, after it has put there what a team does not want to keep any longer. Streams that
 * another server deletes at this moment are passed over.
 *
 * @returns true when it found something to do
 */
export async function deleteExpiredLogs(client: Queryable, options: { maxChunks: number }): Promise<boolean> {
  const expired = await expireTeamLogs(client, options.maxChunks);
  const deleted = await deleteRemoved(client, options.maxChunks);
  return expired + deleted > 0;
}

/** Locks the streams in the order of their ids, as commits do. @returns how many streams */
async function expireTeamLogs(client: Queryable, limit: number): Promise<number> {
  const { rowCount } = await client.query(
    `with old as (
       select s.id, s.day
       from log_streams s join test_runs r on r.id = s.run_id join teams t on t.id = r.team_id
       where s.expired_at is null and r.status = any($2)
         and s.day < (clock_timestamp() at time zone 'UTC')::date - t.log_retention_days
       order by s.id limit $1
       for no key update of s
     ), expired as (
       update log_streams s set expired_at = clock_timestamp() from old where s.id = old.id
     ), handovers as (
       delete from log_handovers h using old where h.stream_id = old.id
     )
     insert into log_removals (stream_id, day) select id, day from old on conflict do nothing`,
    [limit, ENDED_STATUSES],
  );
  return rowCount ?? 0;
}

/** A stream of which no chunk is left goes, with its gaps, in the step behind. @returns how many chunks and streams */
async function deleteRemoved(client: Queryable, limit: number): Promise<number> {
  const { rows } = await client.query<{ deleted: string }>(
    `with removal as (
       select stream_id, day from log_removals order by stream_id limit $1 for update skip locked
     ), doomed as (
       select c.day, c.stream_id, c.first_seq
       from removal r join log_chunks c on c.day = r.day and c.stream_id = r.stream_id
       limit $1
     ), chunks as (
       delete from log_chunks c using doomed d
       where c.day = d.day and c.stream_id = d.stream_id and c.first_seq = d.first_seq
       returning c.stream_id
     ), empty as (
       delete from log_removals r using removal e
       where r.stream_id = e.stream_id
         and not exists (select from log_chunks c where c.day = e.day and c.stream_id = e.stream_id)
       returning r.stream_id, r.day
     ), gaps as (
       delete from log_gaps g using empty e where g.day = e.day and g.stream_id = e.stream_id
     )
     select (select count(*) from chunks) + (select count(*) from empty) as deleted`,
    [limit],
  );
  return Number(rows[0]?.deleted ?? 0);
}
