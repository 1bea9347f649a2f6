import { type Cluster as KubeCluster, KubeConfig, type User as KubeUser } from "@kubernetes/client-node";
import http, { type IncomingMessage, type ServerResponse } from "node:http";
import https from "node:https";
import type { AddressInfo } from "node:net";

export interface Received {
  method: string;
  path: string;
  query: URLSearchParams;
  headers: http.IncomingHttpHeaders;
  body: string;
}

export type Handler = (request: Received, response: ServerResponse, message: IncomingMessage) => void | Promise<void>;

/** An HTTP server that answers as the test says, and remembers what it was asked. */
export interface TestServer extends AsyncDisposable {
  url: string;
  /** Connections accepted so far. */
  connections: number;
  requests: Received[];
  handle: Handler;
}

/** @param tls - makes it an HTTPS server */
export async function startServer(handle: Handler, tls?: https.ServerOptions): Promise<TestServer> {
  const options = { keepAliveTimeout: 60_000 };
  const server = tls === undefined ? http.createServer(options) : https.createServer({ ...options, ...tls });
  const state: TestServer = {
    url: "",
    connections: 0,
    requests: [],
    handle,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  server.on("connection", () => (state.connections += 1));
  server.on("request", (message: IncomingMessage, response: ServerResponse) => {
    const chunks: Buffer[] = [];
    message.on("data", (chunk: Buffer) => chunks.push(chunk));
    message.on("end", () => {
      const url = new URL(message.url!, "http://test");
      const body = Buffer.concat(chunks).toString();
      const received = {
        method: message.method!,
        path: url.pathname,
        query: url.searchParams,
        headers: message.headers,
        body,
      };
      state.requests.push(received);
      void state.handle(received, response, message);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  state.url = `${tls === undefined ? "http" : "https"}://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return state;
}

export function sendJson(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: http.OutgoingHttpHeaders = {},
): void {
  response.writeHead(status, { "content-type": "application/json", ...headers }).end(JSON.stringify(body));
}

/** A failure as the API server words it. */
export function sendStatus(
  response: ServerResponse,
  code: number,
  reason: string,
  message = reason,
  details = {},
): void {
  sendJson(response, code, {
    kind: "Status",
    apiVersion: "v1",
    metadata: {},
    status: "Failure",
    message,
    reason,
    code,
    details,
  });
}

/** @param more - of the cluster and the user, as the kubeconfig has them */
export function kubeConfigFor(
  server: string,
  token = "secret",
  more: { cluster?: Partial<KubeCluster>; user?: Partial<KubeUser> } = {},
): KubeConfig {
  const config = new KubeConfig();
  config.loadFromClusterAndUser(
    { name: "test", server, skipTLSVerify: false, ...more.cluster },
    { name: "test", token, ...more.user },
  );
  return config;
}

/** A signal that never aborts. */
export function never(): AbortSignal {
  return new AbortController().signal;
}
