/** CPU and memory as Kubernetes quantities, for example `{ cpu: "500m", memory: "256Mi" }`. */
export interface ResourceQuantities {
  /** From `1m` to `1024`. */
  cpu?: string | undefined;
  /** From `1Mi` to `16Ti`. */
  memory?: string | undefined;
}

/** Requests and limits of each runner's container; no request may be above its limit. */
export interface K6Resources {
  requests?: ResourceQuantities | undefined;
  limits?: ResourceQuantities | undefined;
}

/**
 * What one k6 TestRun needs. Namespace, service account, volumes and security context are settings of the
 * installation and not part of it.
 */
export interface K6TestRunConfig {
  /** The TestRun's name: 1 to 51 characters of a-z, 0-9 and -, starting with a letter, ending with a letter or digit, not starting with `plz-test-`. */
  name: string;
  /** The k6 script: 1 to 1,048,576 bytes of UTF-8, what a ConfigMap takes. */
  script: string;
  /** Number of parallel K6 containers: integer 1 to 10. (Default: 1) */
  parallelism?: number | undefined;
  /** Arguments of `k6 run`, one token an item: at most 100 of 1,024 characters, 16 KiB together. (Default: none) */
  arguments?: string[] | undefined;
  /** Environment variables of the script (`__ENV`): at most 100, 32 KiB each, 48 KiB together. (Default: none) */
  env?: Record<string, string> | undefined;
  /** Resources of each runner. (Default: the installation's) */
  resources?: K6Resources | undefined;
  /** The k6 image of initializer and runners, one that the installation allows. (Default: the installation's) */
  image?: string | undefined;
}

/** A config that passed `validateK6TestRunConfig`, with its defaults filled in. */
export interface ValidK6TestRunConfig extends K6TestRunConfig {
  parallelism: number;
}
