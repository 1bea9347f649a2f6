import type { ChunkBounds } from "@tailrace/core";
import type { Queryable } from "../../database.ts";
import type { Window } from "./windows.ts";

/** A chunk without its lines. */
export interface ChunkPlace extends ChunkBounds {
  lineBytes: number;
}

interface PlaceRow {
  stream_id: string;
  first_seq: string;
  lines: number;
  line_bytes: number;
  first_time: string;
  max_time: string;
  prior_time: string;
}

export interface PlaceOptions {
  /** Leaves out chunks with none of these levels' bits. */
  levels: number;
  newestFirst: boolean;
  /** Of each window. */
  limit: number;
}

/** The chunks that overlap windows of one day: for each window its first ones, or the last ones first. */
export async function listChunkPlaces(
  client: Queryable,
  windows: readonly Window[],
  options: PlaceOptions,
): Promise<Map<number, ChunkPlace[]>> {
  const places = new Map<number, ChunkPlace[]>(windows.map(({ stream }) => [stream.id, []]));
  if (windows.length === 0) return places;
  const { rows } = await client.query<PlaceRow>(chunkPlaces(options.newestFirst), [
    windows[0]!.stream.day,
    windows.map(({ stream }) => stream.id),
    windows.map(({ from }) => from),
    windows.map(({ until }) => until),
    options.levels,
    options.limit,
  ]);
  for (const row of rows) places.get(Number(row.stream_id))!.push(toPlace(row));
  return places;
}

/** The statement of {@link listChunkPlaces}. */
export function chunkPlaces(newestFirst: boolean): string {
  return `
    select c.*
    from unnest($2::bigint[], $3::bigint[], $4::bigint[]) with ordinality as w(id, from_seq, until_seq, place)
    cross join lateral (
      select c.stream_id, c.first_seq, c.lines, c.line_bytes, c.first_time, c.max_time, c.prior_time
      from log_chunks c
      where c.day = $1 and c.stream_id = w.id
        and c.first_seq >= coalesce((
          select max(p.first_seq) from log_chunks p where p.day = $1 and p.stream_id = w.id and p.first_seq <= w.from_seq
        ), 0)
        and c.first_seq + c.lines > w.from_seq and c.first_seq < w.until_seq and c.levels & $5 <> 0
      order by c.first_seq ${newestFirst ? "desc" : "asc"}
      limit $6
    ) c
    order by w.place, c.first_seq ${newestFirst ? "desc" : "asc"}`;
}

function toPlace(row: PlaceRow): ChunkPlace {
  return {
    firstSeq: Number(row.first_seq),
    lines: row.lines,
    lineBytes: row.line_bytes,
    firstTime: BigInt(row.first_time),
    maxTime: BigInt(row.max_time),
    priorTime: BigInt(row.prior_time),
  };
}
