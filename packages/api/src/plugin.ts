import { TailraceError } from "@tailrace/core";
import type { FastifyPluginAsync } from "fastify";
import type { ApiDeps } from "./deps.ts";
import { registerDownload } from "./http/download.ts";
import { PRINCIPAL, guard } from "./http/request.ts";
import { registerRest } from "./http/rest.ts";
import { registerTrpc } from "./http/trpc.ts";
import { restErrorHandler } from "./http/errors.ts";

/**
 * The API as a Fastify plugin: tRPC at `/api/trpc`, REST at `/api/dashboard/load-testing/teams`. Every request below
 * `/api` passes one guard first, also for a route that does not exist.
 */
export function createApi(deps: ApiDeps): FastifyPluginAsync {
  return async (app) => {
    const closing = new AbortController();
    app.addHook("preClose", async () => closing.abort());
    const routes = { ...deps, closing: closing.signal };
    await app.register(
      async (scope) => {
        scope.decorateRequest(PRINCIPAL, null);
        scope.addHook("onRequest", guard(deps));
        scope.removeAllContentTypeParsers();
        scope.setErrorHandler(restErrorHandler(deps.log));
        scope.setNotFoundHandler((request) => {
          throw new TailraceError("NOT_FOUND", `there is no ${request.method} ${request.url.split("?")[0]}`);
        });
        await scope.register(async (inner) => registerTrpc(inner, routes));
        await scope.register(async (inner) => registerRest(inner, routes));
        await scope.register(async (inner) => registerDownload(inner, routes));
      },
      { prefix: "/api" },
    );
  };
}
