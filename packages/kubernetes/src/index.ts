export { openCluster, type ClusterOptions } from "./cluster.ts";
export { contextNamespace, loadKubeConfig, type KubeConfigOptions } from "./kubeconfig.ts";
export { silentLogger, type Logger } from "./log.ts";
export { readContainers, readContainerSections, type ReadContainersOptions } from "./logs/read-containers.ts";
export { getK6TestRunLogs, MAX_TAIL_LINES, type TestRunLogsOptions } from "./logs/test-run-logs.ts";
export type { RetrySettings } from "./retry.ts";
export { DEFAULT_WATCH_SETTINGS, type WatchSettings } from "./watch/settings.ts";
