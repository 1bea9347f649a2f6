import type { LogStream } from "@tailrace/core";
import type { Queryable } from "../../database.ts";
import { readPosition } from "../position.ts";
import { STREAM_COLUMNS, type StreamRow } from "../streams/rows.ts";

export async function listLogStreams(client: Queryable, teamId: string, runId: string): Promise<LogStream[] | null> {
  const { rows } = await client.query<StreamRow | { id: null }>(
    `select ${STREAM_COLUMNS}
     from test_runs r left join log_streams s on s.run_id = r.id
     where r.team_id = $1 and r.id = $2 order by s.ordinal`,
    [teamId, runId],
  );
  return rows.length === 0 ? null : rows.filter((row) => row.id !== null).map(toLogStream);
}

function toLogStream(row: StreamRow): LogStream {
  return {
    id: Number(row.id),
    day: row.day,
    ordinal: row.ordinal,
    stepId: row.step_id,
    pod: row.pod,
    container: row.container,
    restart: row.restart,
    role: row.role,
    runner: row.runner,
    named: row.named,
    source: row.position === null ? null : readPosition(row.position).source,
    lines: Number(row.next_seq),
    bytes: Number(row.output_bytes),
    gaps: row.gaps,
    sealed: row.sealed,
    verified: row.verified,
    verifiedBy: row.verified_by,
    sha256: row.sha256,
    counts: row.counts,
    unjoined: row.unjoined,
    truncated: row.truncated,
    expired: row.expired,
  };
}
