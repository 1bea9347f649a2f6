import type { ApiErrorCode } from "./problem.ts";

/** The headers that RFC 9110 asks for with some statuses; times are in seconds. */
export function errorHeaders(code: ApiErrorCode): Record<string, string> {
  switch (code) {
    case "UNAUTHORIZED":
      return { "www-authenticate": 'Bearer realm="tailrace"' };
    case "TOO_MANY_REQUESTS":
      return { "retry-after": "15" };
    case "UNAVAILABLE":
      return { "retry-after": "5" };
    default:
      return {};
  }
}
