// The package's index would load the classes of every API: a second of CPU time and 50 MB that nothing here uses.
import { KubeConfig } from "@kubernetes/client-node/dist/config.js";
import { TailraceError } from "@tailrace/core";
import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, join } from "node:path";

export interface KubeConfigOptions {
  /** One path, or several as in `$KUBECONFIG`. (Default: `$KUBECONFIG`, else `~/.kube/config`, else the pod's service account.) */
  kubeconfig?: string | undefined;
  /** (Default: the current context.) */
  context?: string | undefined;
}

/** What of the process the standard rules look at. */
interface Surroundings {
  env: { KUBECONFIG?: string | undefined; KUBERNETES_SERVICE_HOST?: string | undefined };
  home: string;
  /** Goes before `/var/run/secrets/kubernetes.io/serviceaccount`. */
  root: string;
}

/**
 * Finds the cluster as kubectl does (k8s.io/client-go, tools/clientcmd/loader.go): of several files the first to name
 * something wins, and missing ones are passed over as long as one is there.
 *
 * @throws TailraceError `BAD_REQUEST` when there is no configuration or no such context
 */
export function loadKubeConfig(options: KubeConfigOptions = {}): KubeConfig {
  return findKubeConfig(options, { env: process.env, home: homedir(), root: "" });
}

/** {@link loadKubeConfig} with its surroundings given. */
export function findKubeConfig({ kubeconfig, context }: KubeConfigOptions, surroundings: Surroundings): KubeConfig {
  const named = kubeconfig || surroundings.env.KUBECONFIG;
  const paths = named ? named.split(delimiter).filter(Boolean) : [join(surroundings.home, ".kube", "config")];
  const present = paths.filter((path) => existsSync(path));
  const config = present.length > 0 ? merge(present) : named ? undefined : inCluster(surroundings);
  if (config === undefined) {
    const remedy = "name a kubeconfig file in KUBECONFIG, or run in a pod with a service account";
    throw refusal("kubeconfig", `no cluster configuration: ${paths.join(", ")} does not exist; ${remedy}`);
  }
  if (context !== undefined) config.setCurrentContext(context);
  const chosen = config.getCurrentContext();
  const known = config.getContexts().map(({ name }) => name);
  if (!known.includes(chosen)) {
    const what = chosen ? `there is no context "${chosen}"` : "no current context is set";
    throw refusal("context", `${what} in ${present.join(", ")}; it has: ${known.join(", ") || "none"}`);
  }
  if (config.getCurrentCluster() === null)
    throw refusal("context", `the cluster of context "${chosen}" is not in ${present.join(", ")}`);
  return config;
}

/** The namespace of the current context, as kubectl uses it. */
export function contextNamespace(config: KubeConfig): string {
  return config.getContextObject(config.getCurrentContext())?.namespace || "default";
}

function merge(paths: string[]): KubeConfig {
  const [first, ...rest] = paths.map(loadFile);
  for (const config of rest) {
    first!.currentContext ||= config.currentContext;
    first!.clusters.push(...missing(first!.clusters, config.clusters));
    first!.users.push(...missing(first!.users, config.users));
    first!.contexts.push(...missing(first!.contexts, config.contexts));
  }
  return first!;
}

function missing<T extends { name: string }>(known: T[], more: T[]): T[] {
  return more.filter(({ name }) => !known.some((entry) => entry.name === name));
}

function loadFile(path: string): KubeConfig {
  const config = new KubeConfig();
  try {
    config.loadFromFile(path);
  } catch (cause) {
    throw refusal("kubeconfig", `${path} can't be read: ${(cause as Error).message}`, cause);
  }
  return config;
}

function inCluster({ env, root }: Surroundings): KubeConfig | undefined {
  if (!env.KUBERNETES_SERVICE_HOST) return undefined;
  if (!existsSync(`${root}/var/run/secrets/kubernetes.io/serviceaccount/token`)) return undefined;
  const config = new KubeConfig();
  config.loadFromCluster(root);
  return config;
}

function refusal(path: string, message: string, cause?: unknown): TailraceError {
  return new TailraceError("BAD_REQUEST", message, {
    issues: [{ path, message }],
    ...(cause === undefined ? {} : { cause }),
  });
}
