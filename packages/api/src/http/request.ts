import type { FastifyReply, FastifyRequest } from "fastify";
import { authenticate } from "../auth/authenticate.ts";
import type { ApiContext, Principal } from "../context.ts";
import type { ApiDeps } from "../deps.ts";

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
export function contextOf(request: FastifyRequest, deps: ApiDeps): ApiContext {
  const principal = request.getDecorator<Principal | null>(PRINCIPAL);
  if (principal === null) throw new Error(`${request.method} ${request.url} was not guarded`);
  const { store, limits, random } = deps;
  return { store, limits, random, principal, requestId: request.id };
}
