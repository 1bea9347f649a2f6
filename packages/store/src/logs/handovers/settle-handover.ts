import type { Queryable } from "../../database.ts";

export async function deleteHandover(client: Queryable, id: number): Promise<void> {
  await client.query("delete from log_handovers where id = $1", [id]);
}

/** A repeated one is counted once. */
export async function keepUnjoined(client: Queryable, id: number): Promise<void> {
  await client.query(
    `with kept as (
       update log_handovers set unjoined_at = clock_timestamp() where id = $1 and unjoined_at is null returning stream_id
     )
     update log_streams s set unjoined = s.unjoined + 1 from kept where s.id = kept.stream_id`,
    [id],
  );
}
