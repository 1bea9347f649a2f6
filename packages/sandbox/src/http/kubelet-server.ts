import { STATUS_CODES, type IncomingMessage, type ServerResponse } from "node:http";
import https from "node:https";
import { USER, type Access } from "../api/access.ts";
import type { FaultQueue, RequestFault } from "../faults.ts";
import { DIRECT, sendGoError, sendTemporaryRedirect, sendText, serveNodeLogs } from "../node-logs/serve.ts";
import { targetOf } from "../node-logs/target.ts";
import type { ApiServerOptions } from "./api-server.ts";
import { verbOf } from "./attributes.ts";
import type { ServingCertificate } from "./certificate.ts";
import { exchange, waitBefore } from "./exchange.ts";
import { HttpListener } from "./listener.ts";
import { isBearer } from "./token.ts";

export interface KubeletServerOptions extends Pick<ApiServerOptions, "token" | "requestLog" | "failed"> {
  certificate: Pick<ServingCertificate, "key" | "cert">;
  access: Access;
  faults: FaultQueue;
  node: string;
  /** Stands for the node's `/var/log`. */
  logRoot: string;
}

/**
 * The kubelet's own port, of which the sandbox has `/logs/`. HTTP/1.1 alone, where a kubelet also speaks HTTP/2.
 *
 * What is asked first is what the kubelet asks first: is the path clean and known, whose token is it, what may its owner
 * do, which method is it (kubelet, pkg/kubelet/server/server.go).
 */
export class KubeletServer extends HttpListener {
  readonly #options: KubeletServerOptions;
  #gone = new AbortController();

  constructor(options: KubeletServerOptions) {
    const { key, cert } = options.certificate;
    super(() =>
      https.createServer(
        { key, cert, ALPNProtocols: ["http/1.1"], keepAliveTimeout: 90_000, requestTimeout: 0 },
        (request, response) => void this.#serve(request, response),
      ),
    );
    this.#options = options;
  }

  /** Aborts when the port is closed. */
  get gone(): AbortSignal {
    return this.#gone.signal;
  }

  override async start(): Promise<void> {
    if (this.#gone.signal.aborted) this.#gone = new AbortController();
    await super.start();
  }

  override async stop(): Promise<void> {
    this.#gone.abort();
    await super.stop();
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = "GET", url = "/", socket } = request;
    const { faults, requestLog, failed, logRoot } = this.#options;
    // A client that leaves in the middle is its own business.
    response.on("error", () => {});
    request.resume();
    try {
      const [path = "", query = ""] = url.split("?", 2);
      requestLog?.({ port: "kubelet", method, path, query });
      const target = targetOf(url);
      if (target.kind === "malformed") return refuse(response);
      if (target.kind === "unclean") return sendTemporaryRedirect(response, DIRECT, target.location);
      if (target.kind === "unknown") return sendGoError(response, DIRECT, 404, "404 page not found");
      if (!isBearer(request.headers.authorization, this.#options.token))
        return sendText(response, DIRECT, 401, "Unauthorized");
      const subresources = target.kind === "service" ? target.subresources : ["log"];
      if (target.kind === "service" || !this.#mayReadLogs(method))
        return sendText(response, DIRECT, 403, forbidden(method, subresources));
      if (method !== "GET") return sendText(response, DIRECT, 405, "405: Method Not Allowed", { Allow: "GET" });
      const fault = faults.take("kubelet", method, url);
      const reset = (): void => this.reset(socket);
      const own = exchange(response, { fault, reset, faults });
      if (!(await waitBefore(own))) return;
      if (fault?.answer === "reset") return reset();
      if (fault?.answer !== undefined) return sendFault(response, fault.answer, fault);
      if (fault?.body !== undefined) return sendText(response, DIRECT, 200, fault.body);
      await serveNodeLogs(logRoot, target.request, request.headers.range, own, DIRECT);
    } catch (error) {
      if (socket.destroyed) return;
      failed(`kubelet: ${method} ${url}`, error);
      if (response.headersSent) response.destroy();
      else sendGoError(response, DIRECT, 500, "500 Internal Server Error");
    }
  }

  #mayReadLogs(method: string): boolean {
    const { access, node } = this.#options;
    const attributes = { group: "", resource: "nodes", subresource: "log", namespace: undefined, name: node };
    return access.allows({ ...attributes, verb: verbOf(method) });
  }
}

/** What Go's server answers to a request line that it can't read. */
function refuse(response: ServerResponse): void {
  response.shouldKeepAlive = false;
  response.sendDate = false;
  response.removeHeader("transfer-encoding");
  response.writeHead(400, { "Content-Type": "text/plain; charset=utf-8", Connection: "close" });
  response.end("400 Bad Request");
}

function forbidden(method: string, subresources: readonly string[]): string {
  return `Forbidden (user=${USER}, verb=${verbOf(method)}, resource=nodes, subresource(s)=[${subresources.join(" ")}])\n`;
}

function sendFault(
  response: ServerResponse,
  answer: Exclude<NonNullable<RequestFault["answer"]>, "reset">,
  { retryAfter }: RequestFault,
): void {
  const headers = retryAfter === undefined ? {} : { "Retry-After": String(retryAfter) };
  if (answer === 401) sendText(response, DIRECT, 401, "Unauthorized", headers);
  else if (answer === 403) sendText(response, DIRECT, 403, forbidden("GET", ["log"]), headers);
  else if (answer === 404) sendGoError(response, DIRECT, 404, "404 page not found", headers);
  else sendText(response, DIRECT, answer, `${answer} ${STATUS_CODES[answer]}`, headers);
}
