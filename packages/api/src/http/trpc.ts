import { type CreateFastifyContextOptions, fastifyRequestHandler } from "@trpc/server/adapters/fastify";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { RouteDeps } from "../deps.ts";
import { errorHeaders } from "../errors/headers.ts";
import { logFailure } from "../errors/log.ts";
import { problemOf } from "../errors/problem.ts";
import { errorShape } from "../errors/shape.ts";
import { BODY_BYTES, LARGE_BODY_BYTES, MAX_BATCH_SIZE } from "../limits.ts";
import { appRouter } from "../trpc/router.ts";
import { proceduresOf } from "../trpc/procedures.ts";
import { errorHandler } from "./errors.ts";
import { contextOf, isGone } from "./request.ts";

/**
 * Mounts the router at `/trpc`. A procedure whose input holds a script has a route of its own with the larger body
 * limit; a batch of several calls is one request with the smaller one.
 */
export function registerTrpc(scope: FastifyInstance, deps: RouteDeps): void {
  // tRPC parses the text itself, once.
  scope.addContentTypeParser("application/json", { parseAs: "string" }, (_, body, done) => done(null, body));
  scope.setErrorHandler(
    errorHandler(deps.log, "application/json", (problem, requestId) => ({ error: errorShape(problem, requestId) })),
  );
  const large = proceduresOf(appRouter).filter(({ meta }) => meta.largeBody === true);
  for (const { path } of large) mount(scope, deps, `/trpc/${path}`, LARGE_BODY_BYTES, () => path);
  // A wildcard, because Fastify bounds the length of a parameter and a batch names all its procedures.
  mount(scope, deps, "/trpc/*", BODY_BYTES, (request) => (request.params as { "*": string })["*"]);
}

function mount(
  scope: FastifyInstance,
  deps: RouteDeps,
  url: string,
  bodyLimit: number,
  pathOf: (request: FastifyRequest) => string,
): void {
  scope.route({
    method: ["GET", "POST"],
    url,
    bodyLimit,
    handler: (request, reply) => answer(request, reply, deps, pathOf(request)),
  });
}

async function answer(request: FastifyRequest, reply: FastifyReply, deps: RouteDeps, path: string): Promise<void> {
  await fastifyRequestHandler({
    req: request,
    res: reply,
    path,
    router: appRouter,
    maxBatchSize: MAX_BATCH_SIZE,
    // The patterns of a query for logs may be more than an address takes.
    allowMethodOverride: true,
    createContext: ({ req }: CreateFastifyContextOptions) => contextOf(req, deps),
    responseMeta: ({ errors }) => ({
      headers: Object.assign({}, ...errors.map((error) => errorHeaders(problemOf(error).code))) as Record<
        string,
        string
      >,
    }),
    onError: ({ error, path: at = path }) => {
      if (isGone(reply)) return;
      logFailure(deps.log, problemOf(error), error.cause ?? error, { requestId: request.id, path: at });
    },
  });
}
