import type { FastifyReply, FastifyRequest } from "fastify";
import { authenticate } from "../auth/authenticate.ts";
import type { ApiContext, Principal } from "../context.ts";
import type { ApiDeps, RouteDeps } from "../deps.ts";
import type { RestParts } from "../rest/input.ts";

/** The decorator that holds the principal of a request; null until {@link guard} has let it through. */
export const PRINCIPAL = "tailracePrincipal";

/** The hook that every route of the API runs behind: finds out who asks, or refuses. */
export function guard(deps: ApiDeps) {
  return async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    reply.header("cache-control", "no-store");
    request.setDecorator(PRINCIPAL, await authenticate(request.headers, deps.auth, deps.store));
  };
}

/** @throws Error when the request did not pass {@link guard} */
export function contextOf(request: FastifyRequest, deps: RouteDeps): ApiContext {
  const principal = request.getDecorator<Principal | null>(PRINCIPAL);
  if (principal === null) throw new Error(`${request.method} ${request.url} was not guarded`);
  const { store, limits, random, closing } = deps;
  return { store, limits, random, principal, closing, requestId: request.id };
}

/** What a REST request says, but for its headers. */
export function partsOf(request: FastifyRequest): RestParts {
  return {
    params: request.params as Record<string, string>,
    query: request.query as Record<string, string | string[]>,
    body: request.body,
  };
}

/** True when nobody waits for the answer any more. */
export function isGone(reply: FastifyReply): boolean {
  return reply.raw.destroyed && !reply.raw.writableFinished;
}

/** Aborted when the connection ends before the answer was sent. */
export function signalOf(reply: FastifyReply): AbortSignal {
  const controller = new AbortController();
  if (isGone(reply)) controller.abort();
  reply.raw.once("close", () => {
    if (!reply.raw.writableFinished) controller.abort();
  });
  return controller.signal;
}
