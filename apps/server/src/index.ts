export { openLog } from "./log.ts";
export { startServer, type RunningServer, type ServerOptions } from "./server.ts";
export { readSettings, SettingsError } from "./settings/read.ts";
export type { Settings } from "./settings/definitions.ts";
export { settingsTable, withSettingsTable } from "./settings/table.ts";
