import { createServer, type Server } from "node:http";
import { sameSecret } from "@tailrace/api";
import { TailraceError } from "@tailrace/core";
import type { FastifyInstance } from "fastify";
import type { Registry } from "prom-client";

/** `/metrics` for whoever holds one of the tokens; without tokens the route does not exist. */
export function registerMetrics(app: FastifyInstance, registry: Registry, tokens: readonly string[]): void {
  if (tokens.length === 0) return;
  app.get("/metrics", async (request, reply) => {
    const given = /^Bearer (.+)$/.exec(request.headers.authorization ?? "")?.[1] ?? "";
    if (!tokens.some((token) => sameSecret(given, token))) {
      throw new TailraceError("UNAUTHORIZED", "a metrics token is needed: Authorization: Bearer <token>");
    }
    return reply.type(registry.contentType).send(await registry.metrics());
  });
}

/** A listener that serves nothing but `/metrics`. */
export async function listenForMetrics(listen: string, registry: Registry): Promise<Server> {
  const [, host, port] = /^(.+):(\d+)$/.exec(listen)!;
  const server = createServer((request, response) => {
    if (request.url !== "/metrics") {
      response.writeHead(404).end();
      return;
    }
    registry.metrics().then(
      (text) => response.writeHead(200, { "content-type": registry.contentType }).end(text),
      () => response.writeHead(500).end(),
    );
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(Number(port), host!.replace(/^\[|\]$/g, ""), resolve);
  });
  return server;
}
