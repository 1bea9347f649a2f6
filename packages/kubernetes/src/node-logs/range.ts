import type { FilePlace } from "@tailrace/core";

/** The first byte that is asked for: the entry before the place is read again. */
export function rangeStart({ offset, entryBytes }: FilePlace): number {
  return offset - entryBytes;
}

/** The value of a `Range` header (RFC 9110, 14.2). */
export function rangeHeader(place: FilePlace, limit: number | null): string {
  return `bytes=${rangeStart(place)}-${limit === null ? "" : place.offset + limit - 1}`;
}

/** Where a `Content-Range` says that a 206's body begins; null where it says nothing. */
export function contentRangeStart(header: string | undefined): number | null {
  const match = /^bytes (\d{1,15})-\d{1,15}\/(?:\d{1,15}|\*)$/.exec(header ?? "");
  return match === null ? null : Number(match[1]);
}

/** The file's size by the `Content-Range` of a 416; null where it says nothing. */
export function contentRangeSize(header: string | undefined): number | null {
  const match = /^bytes \*\/(\d{1,15})$/.exec(header ?? "");
  return match === null ? null : Number(match[1]);
}
