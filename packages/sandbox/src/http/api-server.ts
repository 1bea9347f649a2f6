import { timingSafeEqual } from "node:crypto";
import http, { type IncomingMessage, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { ApiError } from "../api/status.ts";
import type { FaultQueue, Listener } from "../faults.ts";
import { send } from "./answer.ts";
import { faultError } from "./fault-error.ts";

/** A request that has passed authentication. */
export interface ApiRequest {
  method: string;
  path: string;
  query: URLSearchParams;
  body: string;
  contentType: string | undefined;
}

export interface ApiServerOptions {
  token: string;
  faults: FaultQueue;
  handle(request: ApiRequest, response: ServerResponse): Promise<void>;
  requestLog: ((entry: { method: string; path: string; query: string }) => void) | undefined;
  failed(what: string, error: unknown): void;
}

/** kube-apiserver's limit for a request's body. */
const MAX_BODY_BYTES = 3 * 1024 * 1024;

/** The listener on 127.0.0.1: authentication, the Host header, bodies, faults, failures as Status. */
export class ApiServer implements Listener {
  readonly #options: ApiServerOptions;
  readonly #sockets = new Set<Socket>();
  #server: http.Server | undefined;
  #port = 0;

  constructor(options: ApiServerOptions) {
    this.#options = options;
  }

  get port(): number {
    return this.#port;
  }

  /** On a free port at first, on the same one later. */
  async start(): Promise<void> {
    if (this.#server !== undefined) return;
    const server = http.createServer(
      { keepAliveTimeout: 90_000, requestTimeout: 0 },
      (request, response) => void this.#serve(request, response),
    );
    server.on("connection", (socket) => {
      this.#sockets.add(socket);
      socket.setNoDelay(true);
      socket.once("close", () => this.#sockets.delete(socket));
    });
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(this.#port, "127.0.0.1", resolve);
    });
    const address = server.address();
    if (typeof address === "object" && address !== null) this.#port = address.port;
    this.#server = server;
  }

  async stop(): Promise<void> {
    const server = this.#server;
    if (server === undefined) return;
    this.#server = undefined;
    const closed = new Promise((resolve) => server.close(resolve));
    this.cut();
    await closed;
  }

  cut(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = "GET", url = "/" } = request;
    // A client that leaves in the middle is its own business.
    response.on("error", () => {});
    try {
      const target = new URL(url, "http://sandbox");
      this.#options.requestLog?.({ method, path: target.pathname, query: target.search.slice(1) });
      this.#admit(request);
      const fault = this.#options.faults.take(method, url);
      if (fault?.answer === "reset") return void request.socket.resetAndDestroy();
      const body = await readBody(request);
      if (fault !== undefined) throw faultError(fault);
      const contentType = request.headers["content-type"];
      await this.#options.handle(
        { method, path: target.pathname, query: target.searchParams, body, contentType },
        response,
      );
    } catch (error) {
      if (request.socket.destroyed) return;
      if (!(error instanceof ApiError)) this.#options.failed(`${method} ${url}`, error);
      if (response.headersSent) return void response.destroy();
      const status =
        error instanceof ApiError
          ? error
          : new ApiError(500, "InternalError", `Internal error occurred: ${(error as Error).message}`);
      send(response, { status: status.code, json: status.body, headers: status.headers });
    }
  }

  #admit(request: IncomingMessage): void {
    const { host, authorization = "" } = request.headers;
    if (host !== `127.0.0.1:${this.#port}` && host !== `localhost:${this.#port}`)
      throw new ApiError(403, "Forbidden", "forbidden: this server answers to its own address only");
    const expected = Buffer.from(`Bearer ${this.#options.token}`);
    const given = Buffer.from(authorization);
    if (given.length !== expected.length || !timingSafeEqual(given, expected))
      throw new ApiError(401, "Unauthorized", "Unauthorized");
  }
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size <= MAX_BODY_BYTES) chunks.push(chunk);
  }
  if (size > MAX_BODY_BYTES)
    throw new ApiError(413, "RequestEntityTooLarge", `Request entity too large: limit is ${MAX_BODY_BYTES}`);
  return Buffer.concat(chunks).toString("utf8");
}
