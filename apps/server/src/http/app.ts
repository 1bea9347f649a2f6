import { randomBytes } from "node:crypto";
import { createApi, restErrorHandler } from "@tailrace/api";
import { TailraceError, type Cluster, type LogReader, type LogStore, type Store } from "@tailrace/core";
import Fastify, { type FastifyInstance } from "fastify";
import type { Logger } from "pino";
import type { Metrics } from "../metrics.ts";
import { allowedImages } from "../runner.ts";
import type { Settings } from "../settings/definitions.ts";
import { registerHealth, type Readiness } from "./health.ts";
import { registerMetrics } from "./metrics-route.ts";

export interface AppDeps {
  settings: Settings;
  store: Store & LogReader & Pick<LogStore, "onLogsWritten">;
  cluster: Cluster;
  metrics: Metrics;
  readiness: Readiness;
  log: Logger;
}

/** How long a client may take to send a request, headers and body. */
const REQUEST_TIMEOUT_MS = 30_000;

/** Everything that the server answers over HTTP, not yet listening. */
export function createApp({ settings, store, cluster, metrics, readiness, log }: AppDeps): FastifyInstance {
  const refuse = restErrorHandler(log);
  const app = Fastify({
    requestTimeout: REQUEST_TIMEOUT_MS,
    forceCloseConnections: "idle",
    frameworkErrors: (error, request, reply) => void refuse(error, request, reply),
    genReqId: () => randomBytes(8).toString("hex"),
  });
  app.setErrorHandler(refuse);
  app.setNotFoundHandler((request) => {
    throw new TailraceError("NOT_FOUND", `there is no ${request.method} ${request.url.split("?")[0]}`);
  });
  app.addHook("onResponse", (request, reply, done) => {
    const route = request.routeOptions.url ?? "none";
    const seconds = reply.elapsedTime / 1000;
    metrics.httpDuration.observe({ method: request.method, route, status: String(reply.statusCode) }, seconds);
    log.debug({ requestId: request.id, method: request.method, route, status: reply.statusCode, seconds }, "answered");
    done();
  });
  registerHealth(app, readiness);
  const tokens = [settings.metricsToken, settings.adminToken].filter((token) => token !== undefined);
  registerMetrics(app, metrics.registry, tokens);
  app.register(
    createApi({
      store,
      auth: settings.auth === "none" ? { mode: "none" } : { mode: "token", adminToken: settings.adminToken! },
      limits: {
        maxActiveRuns: settings.maxActiveRuns,
        allowedImages: allowedImages(settings),
        namespace: cluster.namespace,
      },
      log,
      random: randomBytes,
    }),
  );
  return app;
}
