import { randomBytes } from "node:crypto";
import { createApi } from "@tailrace/api";
import { openStore } from "@tailrace/store";
import { testDatabase } from "@tailrace/store/testing";
import Fastify from "fastify";
import { type TailraceClient, createClient } from "../src/index.ts";

export const ADMIN = "the-admin-token-of-the-tests";

export interface TestServer extends AsyncDisposable {
  origin: string;
  /** Method and path of each request, in order. */
  requests: string[];
}

/** A client of {@link ADMIN}, for whom the team `demo` has the scenario `checkout`. */
export async function demoClient({ origin }: TestServer): Promise<TailraceClient> {
  const client = createClient({ url: origin, token: ADMIN });
  await client.teams.create.mutate({ id: "demo", name: "Demo" });
  const script = "export default () => {}";
  await client.scenarios.create.mutate({ teamId: "demo", id: "checkout", name: "Checkout", script });
  return client;
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
