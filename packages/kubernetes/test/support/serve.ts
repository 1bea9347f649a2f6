import type { Cluster } from "@tailrace/core";
import { afterEach } from "vitest";
import { openCluster } from "../../src/cluster.ts";
import { silentLogger } from "../../src/log.ts";
import { type Handler, kubeConfigFor, startServer, type TestServer } from "./server.ts";

const opened: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const close of opened.splice(0)) await close();
});

/** A cluster whose API server answers as given; both are closed behind the test. */
export async function serve(
  handle: Handler,
  requestTimeoutMs = 5000,
): Promise<{ server: TestServer; cluster: Cluster }> {
  const server = await startServer(handle);
  const cluster = openCluster({
    kubeConfig: kubeConfigFor(server.url),
    namespace: "ns",
    requestTimeoutMs,
    log: silentLogger,
  });
  opened.push(async () => {
    await cluster.close();
    await server[Symbol.asyncDispose]();
  });
  return { server, cluster };
}

/** What the server was asked for, in order. */
export const asked = (server: TestServer): string[] => server.requests.map(({ method, path }) => `${method} ${path}`);
