import { createHash } from "node:crypto";
import http, { type IncomingMessage, type ServerResponse } from "node:http";
import https from "node:https";
import type { AddressInfo, Socket } from "node:net";

/** What happens to one request on its way. */
export type ProxyFault =
  | { kind: "none" }
  /** An answer of the proxy's own. */
  | { kind: "status"; status: number }
  /** The connection is reset before anything is answered. */
  | { kind: "reset" }
  /** The connection is reset behind so many bytes of the body. */
  | { kind: "cut"; after: number }
  /** The body ends behind so many bytes as if that were all; only where its length was not announced. */
  | { kind: "end"; after: number }
  /** Nothing more comes behind so many bytes, and after a while the connection is reset. */
  | { kind: "stall"; after: number; ms: number };

export interface FaultProxyOptions {
  target: { protocol: "http:" | "https:"; port: number; ca?: string };
  /** Given where the proxy itself speaks TLS. */
  tls?: { key: string; cert: string };
  /** Chooses a request's fault; `nth` counts the requests for the same path from 0. */
  choose: (request: { method: string; path: string; nth: number }) => ProxyFault;
}

export interface FaultProxy extends AsyncDisposable {
  port: number;
  /** How many faults of each kind were played. */
  played: Map<ProxyFault["kind"], number>;
  /** Resets all connections. */
  cutAll(): void;
}

/** Stands between a client and an API server or a kubelet on 127.0.0.1, and does to answers what networks and load balancers do. */
export async function openFaultProxy({ target, tls, choose }: FaultProxyOptions): Promise<FaultProxy> {
  const library = target.protocol === "https:" ? https : http;
  const agent = new library.Agent({ keepAlive: true, maxSockets: Infinity });
  const seen = new Map<string, number>();
  /** Those below TLS, by the client's port: a socket of TLS itself can't reset its connection. */
  const sockets = new Map<number, Socket>();
  const reset = ({ remotePort }: Socket): void => void sockets.get(remotePort ?? 0)?.resetAndDestroy();
  const played: FaultProxy["played"] = new Map();

  const serve = (request: IncomingMessage, response: ServerResponse): void => {
    const { method = "GET", url = "/" } = request;
    const path = url.split("?", 1)[0]!;
    const nth = seen.get(path) ?? 0;
    seen.set(path, nth + 1);
    const fault = choose({ method, path: url, nth });
    played.set(fault.kind, (played.get(fault.kind) ?? 0) + 1);
    if (fault.kind === "reset") return reset(request.socket);
    if (fault.kind === "status")
      return void response.writeHead(fault.status, { "content-type": "text/plain" }).end("no");
    const upstream = library.request(
      {
        host: "127.0.0.1",
        port: target.port,
        method,
        path: url,
        headers: { ...request.headers, host: `127.0.0.1:${target.port}` },
        agent,
        ...(target.ca === undefined ? {} : { ca: target.ca, checkServerIdentity: () => undefined }),
      },
      (answer) => pass(answer, response, fault, () => reset(request.socket)),
    );
    upstream.on("error", () => reset(request.socket));
    response.on("close", () => upstream.destroy());
    request.pipe(upstream);
  };
  const server = tls === undefined ? http.createServer(serve) : https.createServer(tls, serve);
  server.on("connection", (socket: Socket) => {
    const port = socket.remotePort ?? 0;
    sockets.set(port, socket);
    socket.on("error", () => undefined);
    socket.once("close", () => sockets.get(port) === socket && sockets.delete(port));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const cutAll = (): void => {
    for (const socket of sockets.values()) socket.resetAndDestroy();
  };
  return {
    port: (server.address() as AddressInfo).port,
    played,
    cutAll,
    async [Symbol.asyncDispose]() {
      const closed = new Promise((resolve) => server.close(resolve));
      cutAll();
      agent.destroy();
      await closed;
    },
  };
}

function pass(answer: IncomingMessage, response: ServerResponse, fault: ProxyFault, reset: () => void): void {
  response.writeHead(answer.statusCode ?? 502, answer.headers);
  response.flushHeaders();
  // The client learns of it by the missing end.
  answer.on("error", () => response.destroy());
  answer.on("aborted", () => response.destroy());
  const chunked = answer.headers["content-length"] === undefined;
  if (fault.kind === "none" || (fault.kind === "end" && !chunked) || !("after" in fault))
    return void answer.pipe(response);
  let left = fault.after;
  answer.on("data", (bytes: Buffer) => {
    if (left <= 0) return;
    const part = bytes.subarray(0, left);
    left -= part.length;
    if (!response.write(part)) {
      answer.pause();
      response.once("drain", () => answer.resume());
    }
    if (left <= 0) finish(response, fault, answer, reset);
  });
  answer.on("end", () => left > 0 && response.end());
}

function finish(
  response: ServerResponse,
  fault: Exclude<ProxyFault, { kind: "none" | "status" | "reset" }>,
  answer: IncomingMessage,
  reset: () => void,
): void {
  answer.destroy();
  if (fault.kind === "end") response.end();
  else if (fault.kind === "cut") reset();
  else setTimeout(reset, fault.ms).unref();
}

/** Numbers in [0, 1) that depend on the seed and the words alone, in whatever order they are asked for. */
export function chance(seed: number, ...words: (string | number)[]): () => number {
  let state = createHash("sha256")
    .update([seed, ...words].join(" "))
    .digest()
    .readUInt32BE(0);
  return () => {
    // mulberry32
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
