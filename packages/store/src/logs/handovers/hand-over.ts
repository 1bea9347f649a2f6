import { createHash } from "node:crypto";
import type { StreamCommit } from "@tailrace/core";
import type { Queryable } from "../../database.ts";
import { writeContent } from "./content.ts";

/** One that was handed over before, and whose answer was lost, is the same. Nothing is kept for a stream that is gone. */
export async function handOver(client: Queryable, commit: Omit<StreamCommit, "fence">): Promise<void> {
  const { content, data } = writeContent(commit);
  const digest = createHash("sha256").update(content).update(data).digest();
  await client.query(
    `insert into log_handovers (stream_id, first_seq, content, data, digest)
     select id, $2, $3, $4, $5 from log_streams where id = $1 and expired_at is null
     on conflict (stream_id, digest) do nothing`,
    [commit.stream.id, commit.firstSeq, content, data, digest],
  );
}
