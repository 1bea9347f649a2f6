import { KubeConfig } from "@kubernetes/client-node/dist/config.js";
import { ClusterError } from "@tailrace/core";
import type { Agent } from "node:http";
import type { RequestOptions } from "node:https";

/** Where to send a request and as whom. */
export interface Endpoint {
  /** The server's address without a slash at its end. */
  server: string;
  /** TLS material and the headers that authenticate. */
  options: RequestOptions;
  /** Given where the kubeconfig names a proxy. */
  proxyAgent: Agent | undefined;
  /** Names the credentials used, for {@link Credentials.refused}. */
  generation: number;
}

/**
 * The current cluster and user of a kubeconfig. Tokens that expire are renewed by the kubeconfig's own means (token
 * file, exec plugin, OIDC); after a 401 they are thrown away and read anew.
 */
export class Credentials {
  readonly #load: () => KubeConfig;
  #kubeConfig: KubeConfig;
  #generation = 0;
  #stale = false;
  #pending: Promise<Endpoint> | undefined;

  /** @param source - a function is called again after a 401, so that a changed file is seen */
  constructor(source: KubeConfig | (() => KubeConfig)) {
    this.#load = typeof source === "function" ? source : () => withEmptyCaches(source);
    this.#kubeConfig = forPlainHttp(typeof source === "function" ? source() : source);
    serverOf(this.#kubeConfig);
  }

  get server(): string {
    return serverOf(this.#kubeConfig);
  }

  /** Concurrent calls share one look-up: an exec plugin must not be started once per request. */
  endpoint(): Promise<Endpoint> {
    this.#pending ??= this.#lookUp().finally(() => {
      this.#pending = undefined;
    });
    return this.#pending;
  }

  /** Says that the server answered 401: the next look-up reads anew. */
  refused(generation: number): void {
    if (generation === this.#generation) this.#stale = true;
  }

  async #lookUp(): Promise<Endpoint> {
    const options: RequestOptions = {};
    try {
      if (this.#stale) {
        this.#kubeConfig = forPlainHttp(this.#load());
        this.#generation += 1;
        this.#stale = false;
      }
      const kubeConfig = this.#kubeConfig;
      const generation = this.#generation;
      await kubeConfig.applyToHTTPSOptions(options);
      const { agent, ...rest } = options;
      const proxied = kubeConfig.getCurrentCluster()?.proxyUrl !== undefined;
      return {
        server: serverOf(kubeConfig),
        options: rest,
        proxyAgent: proxied ? (agent as Agent) : undefined,
        generation,
      };
    } catch (cause) {
      throw new ClusterError("unauthorized", `no credentials for the cluster: ${(cause as Error).message}`, { cause });
    }
  }
}

function serverOf(kubeConfig: KubeConfig): string {
  const server = kubeConfig.getCurrentCluster()?.server;
  if (server === undefined) throw new ClusterError("invalid", "the kubeconfig's current context names no cluster");
  return server.replace(/\/+$/, "");
}

/** The library keeps what exec plugins and token files gave inside the KubeConfig object. */
function withEmptyCaches({ clusters, users, contexts, currentContext }: KubeConfig): KubeConfig {
  const copy = new KubeConfig();
  copy.loadFromOptions({ clusters, users, contexts, currentContext });
  return copy;
}

/** The library refuses http:// unless the (then meaningless) check of certificates is off. */
function forPlainHttp(kubeConfig: KubeConfig): KubeConfig {
  if (!kubeConfig.getCurrentCluster()?.server.startsWith("http:")) return kubeConfig;
  const copy = withEmptyCaches(kubeConfig);
  copy.clusters = copy.clusters.map((cluster) => ({ ...cluster, skipTLSVerify: true }));
  return copy;
}
