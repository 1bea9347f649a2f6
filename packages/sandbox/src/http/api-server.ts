import http, { type IncomingMessage, type ServerResponse } from "node:http";
import { ApiError } from "../api/status.ts";
import type { FaultQueue, Port } from "../faults.ts";
import { send } from "./answer.ts";
import { exchange, waitBefore, type Exchange } from "./exchange.ts";
import { faultError } from "./fault-error.ts";
import { HttpListener } from "./listener.ts";
import { isBearer } from "./token.ts";

/** A request that has passed authentication. */
export interface ApiRequest {
  method: string;
  path: string;
  query: URLSearchParams;
  body: string;
  contentType: string | undefined;
  /** The `Range` header. */
  range: string | undefined;
}

/** What is told of a request before it is answered. */
export interface RequestLogEntry {
  port: Port;
  method: string;
  path: string;
  query: string;
}

export interface ApiServerOptions {
  token: string;
  faults: FaultQueue;
  handle: (request: ApiRequest, exchange: Exchange) => Promise<void>;
  requestLog: ((entry: RequestLogEntry) => void) | undefined;
  failed: (what: string, error: unknown) => void;
}

/** kube-apiserver's limit for a request's body. */
const MAX_BODY_BYTES = 3 * 1024 * 1024;

/** The API server's port: authentication, the Host header, bodies, faults, failures as Status. */
export class ApiServer extends HttpListener {
  readonly #options: ApiServerOptions;

  constructor(options: ApiServerOptions) {
    super(() =>
      http.createServer(
        { keepAliveTimeout: 90_000, requestTimeout: 0 },
        (request, response) => void this.#serve(request, response),
      ),
    );
    this.#options = options;
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = "GET", url = "/" } = request;
    const { faults, handle, requestLog, failed } = this.#options;
    // A client that leaves in the middle is its own business.
    response.on("error", () => {});
    try {
      const target = new URL(url, "http://sandbox");
      requestLog?.({ port: "api", method, path: target.pathname, query: target.search.slice(1) });
      this.#admit(request);
      const fault = faults.take("api", method, url);
      const reset = (): void => this.reset(request.socket);
      const own = exchange(response, { fault, reset, faults });
      if (!(await waitBefore(own))) return;
      if (fault?.answer === "reset") return reset();
      const body = await readBody(request);
      if (fault?.answer !== undefined) throw faultError(fault.answer, fault.retryAfter);
      if (fault?.body !== undefined)
        return send(response, { status: 200, bytes: fault.body, contentType: "text/plain" });
      const { "content-type": contentType, range } = request.headers;
      await handle({ method, path: target.pathname, query: target.searchParams, body, contentType, range }, own);
    } catch (error) {
      if (request.socket.destroyed) return;
      if (!(error instanceof ApiError)) failed(`${method} ${url}`, error);
      if (response.headersSent) return void response.destroy();
      const status =
        error instanceof ApiError
          ? error
          : new ApiError(500, "InternalError", `Internal error occurred: ${(error as Error).message}`);
      send(response, { status: status.code, json: status.body, headers: status.headers });
    }
  }

  #admit(request: IncomingMessage): void {
    const { host, authorization } = request.headers;
    if (host !== `127.0.0.1:${this.port}` && host !== `localhost:${this.port}`)
      throw new ApiError(403, "Forbidden", "forbidden: this server answers to its own address only");
    if (!isBearer(authorization, this.#options.token)) throw new ApiError(401, "Unauthorized", "Unauthorized");
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
