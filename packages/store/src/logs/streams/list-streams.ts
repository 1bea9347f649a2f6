import type { StreamRecord } from "@tailrace/core";
import type { Queryable } from "../../database.ts";
import { STREAM_COLUMNS, toStreamRecord, type StreamRow } from "./rows.ts";

export async function listStreams(client: Queryable, stepId: string): Promise<StreamRecord[]> {
  const { rows } = await client.query<StreamRow>(
    `select ${STREAM_COLUMNS} from log_streams s where s.step_id = $1 order by s.ordinal`,
    [stepId],
  );
  return rows.map(toStreamRecord);
}
