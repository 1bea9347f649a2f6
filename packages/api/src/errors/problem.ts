import { type ErrorCode, type FieldIssue, TailraceError, fieldIssues, isTailraceError } from "@tailrace/core";
import type { TRPCError } from "@trpc/server";
import { z } from "zod";

/** Why a request failed: the codes of the domain, and two that only a transport can meet. */
export type ApiErrorCode = ErrorCode | "METHOD_NOT_SUPPORTED" | "UNSUPPORTED_MEDIA_TYPE";

/** An error as every transport shows it. Nothing else of the error leaves the server. */
export interface Problem {
  code: ApiErrorCode;
  message: string;
  issues: readonly FieldIssue[];
}

export const HTTP_STATUS: Record<ApiErrorCode, number> = {
  BAD_REQUEST: 400,
  UNAUTHORIZED: 401,
  FORBIDDEN: 403,
  NOT_FOUND: 404,
  METHOD_NOT_SUPPORTED: 405,
  CONFLICT: 409,
  PAYLOAD_TOO_LARGE: 413,
  UNSUPPORTED_MEDIA_TYPE: 415,
  TOO_MANY_REQUESTS: 429,
  INTERNAL: 500,
  UNAVAILABLE: 503,
};

const INTERNAL: Problem = { code: "INTERNAL", message: "internal error", issues: [] };

/** The one mapper of errors, whatever threw them: a verb, a schema, tRPC or Fastify. */
export function problemOf(error: unknown): Problem {
  if (isTailraceError(error)) {
    if (error.code === "INTERNAL") return INTERNAL;
    return { code: error.code, message: error.message, issues: error.issues };
  }
  if (error instanceof z.ZodError) return problemOf(invalidInput(fieldIssues(error)));
  if (isTrpcError(error)) return problemOfTrpc(error);
  return problemOfFastify(error) ?? INTERNAL;
}

/** What is wrong with an input, as one message and field by field. */
export function invalidInput(issues: readonly FieldIssue[]): TailraceError {
  return new TailraceError("BAD_REQUEST", issues.map((issue) => issue.message).join("; "), { issues });
}

function problemOfTrpc(error: TRPCError): Problem {
  if (isTailraceError(error.cause) || error.cause instanceof z.ZodError) return problemOf(error.cause);
  if (error.code === "PARSE_ERROR") return { code: "BAD_REQUEST", message: error.message, issues: [] };
  if (error.code === "BAD_REQUEST") return problemOfBadRequest(error);
  if (error.code === "NOT_FOUND" || error.code === "METHOD_NOT_SUPPORTED" || error.code === "UNSUPPORTED_MEDIA_TYPE") {
    return { code: error.code, message: error.message, issues: [] };
  }
  return INTERNAL;
}

/** tRPC also takes what a schema throws by mistake for a bad request; that one's message stays inside. */
function problemOfBadRequest({ message, cause }: TRPCError): Problem {
  if (cause instanceof SyntaxError)
    return { code: "BAD_REQUEST", message: "the request is not valid JSON", issues: [] };
  const isUrl = cause !== undefined && "code" in cause && cause.code === "ERR_INVALID_URL";
  return cause === undefined || isUrl ? { code: "BAD_REQUEST", message, issues: [] } : INTERNAL;
}

/** By name, because `instanceof` fails across two copies of the package. */
function isTrpcError(error: unknown): error is TRPCError {
  return error instanceof Error && error.name === "TRPCError";
}

/** Fastify's own refusals of a request, by the status they carry. */
function problemOfFastify(error: unknown): Problem | null {
  if (!(error instanceof Error) || !("code" in error) || !("statusCode" in error)) return null;
  if (typeof error.code !== "string" || !error.code.startsWith("FST_ERR_")) return null;
  switch (error.statusCode) {
    case 400:
      return { code: "BAD_REQUEST", message: error.message, issues: [] };
    case 413:
      return { code: "PAYLOAD_TOO_LARGE", message: error.message, issues: [] };
    case 415:
      return { code: "UNSUPPORTED_MEDIA_TYPE", message: "the body must be sent as application/json", issues: [] };
    case 414:
      return { code: "BAD_REQUEST", message: "a part of the URL is too long", issues: [] };
    default:
      return null;
  }
}
