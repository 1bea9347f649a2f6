import { timingSafeEqual } from "node:crypto";

/** Whether an `Authorization` header is this bearer token's. */
export function isBearer(authorization: string | undefined, token: string): boolean {
  const expected = Buffer.from(`Bearer ${token}`);
  const given = Buffer.from(authorization ?? "");
  return given.length === expected.length && timingSafeEqual(given, expected);
}
