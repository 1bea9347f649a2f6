import { TailraceError, type Page } from "@tailrace/core";

const LARGEST_BIGINT = 2n ** 63n - 1n;

/** A cursor stands for the last row that was given; `list` keeps the cursors of different lists apart. */
export function encodeCursor(list: string, seq: bigint): string {
  return Buffer.from(`${list}:${seq}`).toString("base64url");
}

/** @throws TailraceError BAD_REQUEST with path `cursor` for one that {@link encodeCursor} did not make for this list. */
export function decodeCursor(list: string, cursor: string): bigint {
  const digits = new RegExp(`^${list}:([1-9][0-9]{0,18})$`).exec(Buffer.from(cursor, "base64url").toString())?.[1];
  const seq = digits === undefined ? undefined : BigInt(digits);
  if (seq === undefined || seq > LARGEST_BIGINT || encodeCursor(list, seq) !== cursor) {
    const message = "cursor must be the nextCursor of an earlier page of the same list";
    throw new TailraceError("BAD_REQUEST", message, { issues: [{ path: "cursor", message }] });
  }
  return seq;
}

/** Makes a page of up to `limit` items from up to `limit + 1` rows. */
export function toPage<Row extends { seq: bigint }, Item>(
  list: string,
  rows: readonly Row[],
  limit: number,
  toItem: (row: Row) => Item,
): Page<Item> {
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  return {
    items: shown.map(toItem),
    nextCursor: last !== undefined && rows.length > limit ? encodeCursor(list, last.seq) : null,
  };
}
