import { randomBytes } from "node:crypto";
import { createApi } from "@tailrace/api";
import { openStore } from "@tailrace/store";
import { testDatabase } from "@tailrace/store/testing";
import Fastify from "fastify";

export const ADMIN = "the-admin-token-of-the-tests";

export interface TestServer extends AsyncDisposable {
  origin: string;
  /** Method and path of each request, in order. */
  requests: string[];
}

export async function startServer(): Promise<TestServer> {
  const database = await testDatabase();
  const log = { info: () => undefined, warn: () => undefined, error: () => undefined };
  const store = await openStore({ databaseUrl: database.url, log });
  const app = Fastify();
  const requests: string[] = [];
  app.addHook("onRequest", async ({ method, url }) => void requests.push(`${method} ${url.split("?")[0]}`));
  await app.register(
    createApi({
      store,
      auth: { mode: "token", adminToken: ADMIN },
      limits: { maxActiveRuns: 10, allowedImages: [], namespace: "load" },
      log,
      random: randomBytes,
    }),
  );
  const origin = await app.listen({ host: "127.0.0.1", port: 0 });
  return {
    origin,
    requests,
    [Symbol.asyncDispose]: async () => {
      const closed = app.close();
      // A client opens a connection in advance where it has given up a request.
      app.server.closeAllConnections();
      await closed;
      await store.close();
      await database[Symbol.asyncDispose]();
    },
  };
}
