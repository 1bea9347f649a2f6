import type { LogPlace } from "@tailrace/core";
import { invalidInput } from "../errors/problem.ts";
import { type CursorRun, MAX_CURSOR_LENGTH, decodeCursor, encodeCursor } from "./cursor.ts";

/** @throws TailraceError BAD_REQUEST for a cursor that was not made for this run */
export function readCursor(cursor: string, run: CursorRun): LogPlace {
  const place = decodeCursor(cursor, run);
  if (place !== null) return place;
  throw invalidInput([{ path: "cursor", message: "cursor must be one that a page of this test run's logs has given" }]);
}

/** @throws TailraceError BAD_REQUEST where it would be longer than {@link MAX_CURSOR_LENGTH} */
export function writeCursor(place: LogPlace, run: CursorRun): string {
  const cursor = encodeCursor(place, run);
  if (cursor !== null) return cursor;
  const message = `pods must select fewer containers: a cursor of ${MAX_CURSOR_LENGTH} characters can't stand for so many that are being read at once`;
  throw invalidInput([{ path: "pods", message }]);
}
