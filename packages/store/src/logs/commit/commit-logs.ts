import { freeLarge, type CommitOutcome, type StreamCommit } from "@tailrace/core";
import type pg from "pg";
import { errorCode } from "../../failures.ts";
import type { Queryable } from "../../database.ts";
import { LOG_CHANNEL } from "../announce-logs.ts";
import { ensureDay } from "../retention/ensure-day.ts";
import { commitKey, countLines, makeBatch, type Batch } from "./batch.ts";

const CHECK_VIOLATION = "23514";

/** @throws RangeError, see {@link makeBatch} */
export async function commitLogs(pool: pg.Pool, commits: readonly StreamCommit[]): Promise<CommitOutcome[]> {
  if (commits.length === 0) return [];
  const batch = makeBatch(commits);
  const written = await writeWithPartitions(pool, commits, batch);
  freeLarge(batch.data.buffer);
  const keyOf = (commit: StreamCommit): string => commitKey(commit.stream.id, commit.fence);
  const others = commits.filter((commit) => !written.has(keyOf(commit)));
  const earlier = others.length === 0 ? new Set<string>() : await findWrittenEarlier(pool, others);
  return commits.map((commit) => {
    const key = keyOf(commit);
    return written.has(key) || earlier.has(key) ? "committed" : "lost";
  });
}

/** Partitions are made with a stream; one that is missing all the same must not keep every other stream from being written. */
async function writeWithPartitions(
  pool: pg.Pool,
  commits: readonly StreamCommit[],
  batch: Batch,
): Promise<Set<string>> {
  try {
    return await writeBatch(pool, batch);
  } catch (error) {
    if (!isMissingPartition(error)) throw error;
    for (const day of new Set(commits.map((commit) => commit.stream.day))) await ensureDay(pool, day);
    return await writeBatch(pool, batch);
  }
}

/** PostgreSQL names no constraint where a row has no partition to go to. */
function isMissingPartition(error: unknown): boolean {
  return errorCode(error) === CHECK_VIOLATION && (error as { constraint?: unknown }).constraint === undefined;
}

/**
 * All of a batch in one statement. `locked` has the streams that take their commit; everything else follows from it. The
 * rows are locked in the order of their ids, so that statements never wait for one another in a circle.
 *
 * @returns the keys of what was written
 */
async function writeBatch(client: Queryable, batch: Batch): Promise<Set<string>> {
  const { rows } = await client.query<{ id: string; fence: string }>({
    name: "commit_logs",
    text: COMMIT_LOGS,
    values: [batch.streams, batch.chunks, batch.gaps, batch.data],
  });
  return new Set(rows.map(({ id, fence }) => commitKey(id, fence)));
}

const COMMIT_LOGS = `
  with wanted as (
    select * from json_to_recordset($1::json) as w
      (id bigint, fence bigint, first_seq bigint, lines bigint, output_bytes bigint, max_time bigint, position jsonb, counts jsonb)
  ), locked as (
    select s.id, s.day, s.fence, s.run_id, w.lines, w.output_bytes, w.max_time, w.position, w.counts
    from wanted w join log_streams s on s.id = w.id
    where s.fence = w.fence and s.next_seq = w.first_seq and s.sealed_at is null and s.expired_at is null
    order by s.id
    for no key update of s
  ), chunks as (
    insert into log_chunks
      (day, stream_id, first_seq, first_time, min_time, max_time, prior_time, checksum,
       lines, line_bytes, time_bytes, payload_bytes, output_bytes, levels, standard_streams, codec, data)
    select l.day, c.stream_id, c.first_seq, c.first_time, c.min_time, c.max_time, c.prior_time, c.checksum,
      c.lines, c.line_bytes, c.time_bytes, c.payload_bytes, c.output_bytes, c.levels, c.standard_streams, c.codec,
      substring($4::bytea from c.start for c.size)
    from json_to_recordset($2::json) as c
      (stream_id bigint, fence bigint, first_seq bigint, first_time bigint, min_time bigint, max_time bigint,
       prior_time bigint, checksum bigint, lines int, line_bytes int, time_bytes int, payload_bytes int,
       output_bytes int, levels int, standard_streams boolean, codec text, start int, size int)
    join locked l on l.id = c.stream_id and l.fence = c.fence
  ), gaps as (
    insert into log_gaps (day, stream_id, seq, reason, certain, from_time, until_time)
    select l.day, g.stream_id, g.seq, g.reason, g.certain, g.from_time, g.until_time
    from json_to_recordset($3::json) as g
      (stream_id bigint, fence bigint, seq bigint, reason text, certain boolean, from_time bigint, until_time bigint)
    join locked l on l.id = g.stream_id and l.fence = g.fence
    on conflict do nothing
    returning stream_id
  ), new_gaps as (
    select stream_id, count(*)::int as gaps from gaps group by stream_id
  ), written as (
    update log_streams s
    set next_seq = s.next_seq + l.lines, output_bytes = s.output_bytes + l.output_bytes,
      max_time = greatest(s.max_time, l.max_time), position = l.position, counts = l.counts,
      gaps = s.gaps + coalesce(g.gaps, 0)
    from locked l left join new_gaps g on g.stream_id = l.id
    where s.id = l.id
    returning s.id, s.fence, s.run_id, l.lines > 0 or g.gaps > 0 as news
  ), woken as (
    select pg_notify('${LOG_CHANNEL}', run_id) from (select distinct run_id from written where news) as runs
  )
  select id, fence from written, (select count(*) from woken) as w`;

/**
 * Of commits that were not written now, those that an earlier try wrote: the stream has its lines, and nobody else had it
 * meanwhile. One without lines is known by the stream's having gone on; where it has not, it is sealed.
 */
async function findWrittenEarlier(client: Queryable, commits: readonly StreamCommit[]): Promise<Set<string>> {
  const wanted = commits.map((commit) => {
    const lines = countLines(commit);
    return { id: commit.stream.id, fence: commit.fence, reached: commit.firstSeq + (lines > 0 ? lines : 1) };
  });
  const { rows } = await client.query<{ id: string; fence: string }>(
    `select s.id, s.fence
     from json_to_recordset($1::json) as w (id bigint, fence bigint, reached bigint)
     join log_streams s on s.id = w.id and s.fence = w.fence and s.next_seq >= w.reached`,
    [JSON.stringify(wanted)],
  );
  return new Set(rows.map(({ id, fence }) => commitKey(id, fence)));
}
