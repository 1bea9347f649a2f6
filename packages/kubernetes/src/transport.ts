import { ClusterError } from "@tailrace/core";
import http, { type ClientRequest, type IncomingHttpHeaders, type IncomingMessage } from "node:http";
import https from "node:https";
import { answerError } from "./answer-error.ts";
import type { Credentials, Endpoint } from "./credentials.ts";
import { Deadline } from "./deadline.ts";

export interface TransportRequest {
  method: "GET" | "POST" | "PATCH" | "PUT" | "DELETE";
  /** Below the server's address, with the query. */
  path: string;
  body?: string;
  /** Of `body`. (Default: application/json) */
  contentType?: string;
  /** Beside those that are always sent. */
  headers?: Readonly<Record<string, string>>;
}

export interface OpenAnswer {
  status: number;
  headers: IncomingHttpHeaders;
  /** Throws a {@link ClusterError} when the body was cut or the signal aborted. Leaving the loop closes the connection. */
  body: AsyncIterable<Buffer>;
}

export interface WholeAnswer {
  status: number;
  headers: IncomingHttpHeaders;
  body: Buffer;
}

/** The largest JSON answer that is read: a page of 500 pods is about 5 MB. */
const MAX_JSON_BYTES = 64 * 1024 * 1024;

/** Idle connections are closed before the API server's 90 s (k8s.io/apiserver, secure_serving.go) and usual load balancers' 60 s. */
const IDLE_MS = 45_000;

/**
 * HTTP/1.1 to one API server over kept-alive connections, one request on each. Rejects with {@link ClusterError} only;
 * an aborted signal is `network` (or the ClusterError that is its reason).
 */
export class Transport {
  readonly #credentials: Credentials;
  readonly #agents: { http: http.Agent; https: https.Agent };
  readonly #proxyAgents = new Set<http.Agent>();
  readonly #closing = new AbortController();
  readonly #timeoutMs: number;

  /** @param timeoutMs - from the request to the end of a whole answer */
  constructor(credentials: Credentials, timeoutMs: number) {
    this.#credentials = credentials;
    this.#timeoutMs = timeoutMs;
    const options = { keepAlive: true, keepAliveInitialDelay: 30_000, maxSockets: Infinity, timeout: IDLE_MS };
    this.#agents = { http: new http.Agent(options), https: new https.Agent(options) };
  }

  get timeoutMs(): number {
    return this.#timeoutMs;
  }

  get closed(): boolean {
    return this.#closing.signal.aborted;
  }

  /** Sends and returns at the answer's head. The signal ends the body too; the caller bounds the time by it. */
  async open(request: TransportRequest, signal: AbortSignal): Promise<OpenAnswer> {
    const what = describe(request);
    const endpoint = await settled(this.#credentials.endpoint(), signal, what);
    if (this.closed) throw new ClusterError("network", `${what}: the cluster was closed`);
    const message = await this.#exchange(request, endpoint, signal, what);
    const status = message.statusCode ?? 0;
    if (status === 401) this.#credentials.refused(endpoint.generation);
    return { status, headers: message.headers, body: bodyOf(message, signal, what) };
  }

  /** The answer whatever its status, its body given to `keep` chunk by chunk, within the time limit. */
  async stream(
    request: TransportRequest,
    signal: AbortSignal,
    keep: (chunk: Buffer) => void,
  ): Promise<Omit<WholeAnswer, "body">> {
    const what = describe(request);
    using deadline = new Deadline(signal);
    deadline.set(this.#timeoutMs, new ClusterError("timeout", `${what}: no whole answer in ${this.#timeoutMs} ms`));
    const { status, headers, body } = await this.open(request, deadline.signal);
    for await (const chunk of body) keep(chunk);
    return { status, headers };
  }

  /** The whole answer; any status but 2xx rejects. */
  async read(request: TransportRequest, signal: AbortSignal): Promise<WholeAnswer> {
    const what = describe(request);
    const chunks: Buffer[] = [];
    let size = 0;
    const { status, headers } = await this.stream(request, signal, (chunk) => {
      size += chunk.length;
      if (size > MAX_JSON_BYTES)
        throw new ClusterError("server_error", `${what}: the answer exceeds ${MAX_JSON_BYTES} bytes`);
      chunks.push(chunk);
    });
    const body = Buffer.concat(chunks);
    if (status < 200 || status > 299) throw answerError(what, status, headers, body);
    return { status, headers, body };
  }

  /** The JSON of a 2xx answer. */
  async json(request: TransportRequest, signal: AbortSignal): Promise<unknown> {
    const { body, status } = await this.read(request, signal);
    try {
      return JSON.parse(body.toString("utf8"));
    } catch (cause) {
      throw new ClusterError("server_error", `${describe(request)}: the answer is not JSON`, { status, cause });
    }
  }

  /** Cuts every connection; idempotent. */
  close(): void {
    this.#closing.abort(new ClusterError("network", "the cluster was closed"));
    for (const agent of [this.#agents.http, this.#agents.https, ...this.#proxyAgents]) agent.destroy();
  }

  async #exchange(
    request: TransportRequest,
    endpoint: Endpoint,
    signal: AbortSignal,
    what: string,
  ): Promise<IncomingMessage> {
    const url = new URL(endpoint.server + request.path);
    const { http: plain, https: secure } = this.#agents;
    if (endpoint.proxyAgent !== undefined) this.#proxyAgents.add(endpoint.proxyAgent);
    const agent = endpoint.proxyAgent ?? (url.protocol === "http:" ? plain : secure);
    const headers: http.OutgoingHttpHeaders = {
      "user-agent": "tailrace",
      accept: "application/json, */*",
      ...(endpoint.options.headers as http.OutgoingHttpHeaders | undefined),
      ...request.headers,
    };
    if (request.body !== undefined) {
      headers["content-type"] = request.contentType ?? "application/json";
      headers["content-length"] = Buffer.byteLength(request.body);
    }
    const options: https.RequestOptions = { ...endpoint.options, method: request.method, headers, agent };
    const first = await this.#send(url, options, request.body, signal);
    if (first.message !== undefined) return first.message;
    // The server may close an idle connection at the moment it is used again (Node.js, http, request.reusedSocket).
    const stale = first.request?.reusedSocket === true && (first.error as NodeJS.ErrnoException).code === "ECONNRESET";
    if (!stale || request.method !== "GET" || signal.aborted) throw networkError(what, first.error, signal);
    const second = await this.#send(url, { ...options, agent: endpoint.proxyAgent ?? false }, request.body, signal);
    if (second.message === undefined) throw networkError(what, second.error, signal);
    return second.message;
  }

  #send(
    url: URL,
    options: https.RequestOptions,
    body: string | undefined,
    signal: AbortSignal,
  ): Promise<{ message?: IncomingMessage; request?: ClientRequest; error?: unknown }> {
    return new Promise((resolve) => {
      let message: IncomingMessage | undefined;
      let request: ClientRequest;
      const closing = this.#closing.signal;
      const stop = (): void => void (message ?? request).destroy(new Error("aborted"));
      try {
        request = (url.protocol === "http:" ? http : https).request(url, options);
      } catch (error) {
        resolve({ error });
        return;
      }
      // Stays for the request's whole life: after the answer's head an error is seen by the body's reader.
      request.on("error", (error) => resolve({ error, request }));
      request.on("response", (response) => {
        message = response;
        response.on("error", ignoreForReader);
        resolve({ message, request });
      });
      request.on("close", () => {
        signal.removeEventListener("abort", stop);
        closing.removeEventListener("abort", stop);
        resolve({ error: new Error("closed without an answer"), request });
      });
      signal.addEventListener("abort", stop, { once: true });
      closing.addEventListener("abort", stop, { once: true });
      request.end(body);
      if (signal.aborted) stop();
    });
  }
}

/** An incoming message keeps its error for a later reader only when somebody listens (Node.js, _http_incoming.js, onError). */
function ignoreForReader(): void {}

async function* bodyOf(message: IncomingMessage, signal: AbortSignal, what: string): AsyncGenerator<Buffer, void> {
  try {
    for await (const chunk of message) yield chunk as Buffer;
  } catch (cause) {
    const { code, message: words } = cause as NodeJS.ErrnoException;
    throw networkError(what, new Error(`the answer was cut (${code ?? words})`, { cause }), signal);
  }
  if (signal.aborted || !message.complete) throw networkError(what, new Error("the answer was cut"), signal);
}

function networkError(what: string, cause: unknown, signal: AbortSignal): ClusterError {
  if (signal.aborted) return abortError(what, signal);
  if (cause instanceof ClusterError) return cause;
  const { message, code } = cause as NodeJS.ErrnoException;
  return new ClusterError("network", `${what}: ${message || code || "connection failed"}`, { cause });
}

function abortError(what: string, signal: AbortSignal): ClusterError {
  if (signal.reason instanceof ClusterError) return signal.reason;
  return new ClusterError("network", `${what}: aborted`, { cause: signal.reason });
}

function describe(request: TransportRequest): string {
  return `${request.method} ${request.path.split("?", 1)[0]}`;
}

/** Credentials may come from a program that hangs: the wait ends with the signal. */
export function settled<T>(promise: Promise<T>, signal: AbortSignal, what: string): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = (): void => reject(abortError(what, signal));
    if (signal.aborted) stop();
    else signal.addEventListener("abort", stop, { once: true });
    void promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", stop));
  });
}
