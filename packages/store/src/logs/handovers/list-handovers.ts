import type { Handover, StreamRef } from "@tailrace/core";
import type { Queryable } from "../../database.ts";
import { readContent } from "./content.ts";

export async function listHandovers(client: Queryable, stream: StreamRef): Promise<Handover[]> {
  const { rows } = await client.query<{ id: string; first_seq: string; content: unknown; data: Buffer }>(
    `select id, first_seq, content, data from log_handovers
     where stream_id = $1 and unjoined_at is null order by first_seq, id`,
    [stream.id],
  );
  return rows.map((row) => ({
    id: Number(row.id),
    stream: { id: stream.id, day: stream.day },
    commit: { firstSeq: Number(row.first_seq), ...readContent(row.content, row.data) },
  }));
}
