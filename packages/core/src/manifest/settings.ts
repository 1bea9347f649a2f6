import type { K6Resources } from "../run-config/config.ts";

/** A part of a pod by its names in the Kubernetes API; passed on as it is. */
export type PodFragment = Readonly<Record<string, unknown>>;

/** What an installation decides about the pods of all its runs; no request can change it. */
export interface RunnerSettings {
  /** The k6 image of initializer and runners where the run names none, for example `grafana/k6:2.2.0`. */
  image: string;
  /** Starts the runners; needs curl. (k6-operator's: {@link DEFAULT_STARTER_IMAGE}) */
  starterImage: string;
  /** Whether a deleted TestRun stays until its logs are read; needs `patch` on TestRuns. (Default: false) */
  finalizer?: boolean | undefined;
  /** (Default: the namespace's `default`) */
  serviceAccountName?: string | undefined;
  /** Names of secrets of the namespace. (Default: the service account's) */
  imagePullSecrets?: readonly string[] | undefined;
  /** (Default: what Kubernetes takes for the image's tag) */
  imagePullPolicy?: "Always" | "IfNotPresent" | "Never" | undefined;
  securityContext?: PodFragment | undefined;
  containerSecurityContext?: PodFragment | undefined;
  nodeSelector?: Readonly<Record<string, string>> | undefined;
  tolerations?: readonly PodFragment[] | undefined;
  /** Of initializer and each runner, for what the run leaves open. (Default: none) */
  defaultResources?: K6Resources | undefined;
  /** Of initializer and runners; the script's own volume is added by k6-operator. */
  volumes?: readonly PodFragment[] | undefined;
  volumeMounts?: readonly PodFragment[] | undefined;
}

/** What k6-operator takes for the starter where a TestRun names no image. */
export const DEFAULT_STARTER_IMAGE = "ghcr.io/grafana/k6-operator:latest-starter";
