import type { FieldIssue } from "@tailrace/core";
import { type ApiErrorCode, HTTP_STATUS, type Problem } from "../errors/problem.ts";

/** An error answer of the REST routes, `application/problem+json` (RFC 9457). */
export interface ProblemJson {
  type: "about:blank";
  title: string;
  status: number;
  code: ApiErrorCode;
  detail: string;
  issues: readonly FieldIssue[];
  requestId: string;
}

const TITLES: Record<ApiErrorCode, string> = {
  BAD_REQUEST: "Bad Request",
  UNAUTHORIZED: "Unauthorized",
  FORBIDDEN: "Forbidden",
  NOT_FOUND: "Not Found",
  METHOD_NOT_SUPPORTED: "Method Not Allowed",
  CONFLICT: "Conflict",
  PAYLOAD_TOO_LARGE: "Content Too Large",
  UNSUPPORTED_MEDIA_TYPE: "Unsupported Media Type",
  TOO_MANY_REQUESTS: "Too Many Requests",
  INTERNAL: "Internal Server Error",
  UNAVAILABLE: "Service Unavailable",
};

export function problemJson({ code, message, issues }: Problem, requestId: string): ProblemJson {
  return {
    type: "about:blank",
    title: TITLES[code],
    status: HTTP_STATUS[code],
    code,
    detail: message,
    issues,
    requestId,
  };
}
