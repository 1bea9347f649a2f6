export { openCollector, type Collector, type CollectorOptions } from "./collector/collector.ts";
export { NodeAccess } from "./collector/node-access.ts";
export { openLog } from "./log.ts";
export { createMetrics } from "./metrics.ts";
export { startServer, type RunningServer, type ServerOptions } from "./server.ts";
export { readSettings, SettingsError } from "./settings/read.ts";
export type { Settings } from "./settings/definitions.ts";
export { settingsTable, withSettingsTable } from "./settings/table.ts";
