import { TailraceError } from "@tailrace/core";
import type { FastifyReply, FastifyRequest } from "fastify";
import type { ApiLog } from "../deps.ts";
import { errorHeaders } from "../errors/headers.ts";
import { logFailure } from "../errors/log.ts";
import { HTTP_STATUS, type Problem, problemOf } from "../errors/problem.ts";
import { problemJson } from "../rest/problem-json.ts";
import { isGone } from "./request.ts";

/**
 * A Fastify error handler that answers with `present`'s JSON.
 *
 * @param present - the transport's way to write a problem
 */
export function errorHandler(
  log: ApiLog,
  contentType: string,
  present: (problem: Problem, requestId: string) => object,
) {
  return async (error: unknown, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const problem = problemOf(withBodyLimit(error, request));
    const gone = (request.raw.destroyed && !request.raw.complete) || isGone(reply);
    const path = request.routeOptions?.url ?? "unknown route";
    if (!gone) logFailure(log, problem, error, { requestId: request.id, path });
    return await reply
      .code(HTTP_STATUS[problem.code])
      .headers(errorHeaders(problem.code))
      .type(contentType)
      .send(JSON.stringify(present(problem, request.id)));
  };
}

/** Answers an error as the REST routes do, for what is refused before it reaches one of them. */
export function restErrorHandler(log: ApiLog) {
  return errorHandler(log, "application/problem+json", problemJson);
}

/** Fastify says that a body is too large, and not what would not be. */
function withBodyLimit(error: unknown, request: FastifyRequest): unknown {
  if (!(error instanceof Error) || !("code" in error) || error.code !== "FST_ERR_CTP_BODY_TOO_LARGE") return error;
  const limit = request.routeOptions.bodyLimit;
  const shown = limit % 1_048_576 === 0 ? `${limit / 1_048_576} MiB` : `${limit / 1024} KiB`;
  return new TailraceError("PAYLOAD_TOO_LARGE", `the body must have at most ${shown} (${limit} bytes)`, {
    cause: error,
  });
}
