import type { Seal, StreamRef } from "@tailrace/core";
import type { Queryable } from "../../database.ts";
import { LOG_CHANNEL } from "../announce-logs.ts";

/** A repeated one, after a lost answer, finds its own seal and changes nothing. */
export async function sealStream(client: Queryable, stream: StreamRef, fence: number, seal: Seal): Promise<boolean> {
  const { rowCount } = await client.query(
    `with sealed as (
       update log_streams
       set sealed_at = coalesce(sealed_at, clock_timestamp()),
         sha256 = $5, verified = $6, verified_by = $7, truncated = $8
       where id = $1 and fence = $2 and next_seq = $3 and output_bytes = $4 and (sealed_at is null or sha256 = $5)
       returning run_id
     )
     select pg_notify('${LOG_CHANNEL}', run_id) from sealed`,
    [stream.id, fence, seal.lines, seal.bytes, seal.sha256, seal.verified, seal.verifiedBy, seal.truncated],
  );
  return rowCount === 1;
}
