import { createHash, timingSafeEqual } from "node:crypto";
import { createServer, type Server } from "node:http";
import type { FastifyInstance } from "fastify";
import type { Registry } from "prom-client";

/** `/metrics` for whoever holds one of the tokens; without tokens the route does not exist. */
export function registerMetrics(app: FastifyInstance, registry: Registry, tokens: readonly string[]): void {
  if (tokens.length === 0) return;
  app.get("/metrics", async (request, reply) => {
    const given = /^Bearer (.+)$/.exec(request.headers.authorization ?? "")?.[1] ?? "";
    if (!tokens.some((token) => sameSecret(token, given))) {
      return reply
        .code(401)
        .header("www-authenticate", "Bearer")
        .send({ status: 401, title: "Unauthorized", detail: "a metrics token is needed" });
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

/** Compares in a time that does not depend on where they differ. */
function sameSecret(a: string, b: string): boolean {
  const digest = (text: string): Buffer => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}
