import type { Credentials } from "../credentials.ts";
import { settled, type Transport } from "../transport.ts";
import type { HttpClient } from "./client.ts";
import { apiServerTarget, basePath, identityHeaders } from "./endpoint.ts";
import { describeGet, type GetLimits, type GetRequest, type OnHead } from "./get.ts";
import { tellingRefusal } from "./telling-refusal.ts";
import { getOverTransport } from "./transport-get.ts";

/** Which requests to the API server share connections, and how many there may be. */
export interface ApiPool {
  name: string;
  limit: number;
}

/** Long GETs from the API server that a kubeconfig names. */
export class ApiServer {
  readonly #credentials: Credentials;
  readonly #transport: Transport;
  readonly #client: HttpClient;

  constructor(credentials: Credentials, transport: Transport, client: HttpClient) {
    this.#credentials = credentials;
    this.#transport = transport;
    this.#client = client;
  }

  /** As {@link HttpClient.get}; after a 401 the next request has new credentials. Also rejects with ClusterError. */
  async get(pool: ApiPool, request: GetRequest, onHead: OnHead, limits: GetLimits): Promise<void> {
    const endpoint = await settled(this.#credentials.endpoint(), limits.signal, describeGet(request.path));
    if (endpoint.proxyAgent !== undefined) return getOverTransport(this.#transport, request, onHead, limits);
    const headers = { ...identityHeaders(endpoint), ...request.headers };
    const path = basePath(endpoint) + request.path;
    const choice = { ...pool, target: apiServerTarget(endpoint) };
    return this.#client.get(choice, { path, headers }, tellingRefusal(this.#credentials, endpoint, onHead), limits);
  }
}
