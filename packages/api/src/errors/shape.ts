import type { FieldIssue } from "@tailrace/core";
import type { TRPC_ERROR_CODE_NUMBER } from "@trpc/server";
import { TRPC_ERROR_CODES_BY_KEY } from "@trpc/server/rpc";
import { type ApiErrorCode, HTTP_STATUS, type Problem } from "./problem.ts";

/** A failed call as tRPC sends it. */
export interface ErrorShape {
  message: string;
  /** JSON-RPC's number for the kind of error. */
  code: TRPC_ERROR_CODE_NUMBER;
  data: {
    code: ApiErrorCode;
    httpStatus: number;
    /** What is wrong with which field of the input. */
    issues: readonly FieldIssue[];
    /** Finds the request in the server's log; null where the request could not be read as calls at all. */
    requestId: string | null;
  };
}

const TRPC_KEYS = {
  BAD_REQUEST: "BAD_REQUEST",
  UNAUTHORIZED: "UNAUTHORIZED",
  FORBIDDEN: "FORBIDDEN",
  NOT_FOUND: "NOT_FOUND",
  METHOD_NOT_SUPPORTED: "METHOD_NOT_SUPPORTED",
  CONFLICT: "CONFLICT",
  PAYLOAD_TOO_LARGE: "PAYLOAD_TOO_LARGE",
  UNSUPPORTED_MEDIA_TYPE: "UNSUPPORTED_MEDIA_TYPE",
  TOO_MANY_REQUESTS: "TOO_MANY_REQUESTS",
  INTERNAL: "INTERNAL_SERVER_ERROR",
  UNAVAILABLE: "SERVICE_UNAVAILABLE",
} as const satisfies Record<ApiErrorCode, keyof typeof TRPC_ERROR_CODES_BY_KEY>;

export function errorShape(problem: Problem, requestId: string | null): ErrorShape {
  const { code, message, issues } = problem;
  return {
    message,
    code: TRPC_ERROR_CODES_BY_KEY[TRPC_KEYS[code]],
    data: { code, httpStatus: HTTP_STATUS[code], issues, requestId },
  };
}
