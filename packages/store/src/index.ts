export { DatabaseError, type DatabaseErrorCode } from "./database-error.ts";
export type { DatabaseOptions } from "./database.ts";
export { startEmbeddedPostgres, type EmbeddedPostgres, type EmbeddedPostgresOptions } from "./embedded/start.ts";
export { retryable } from "./failures.ts";
export type { StoreLog } from "./log.ts";
export { openStoredChunk, storeChunk } from "./logs/codec.ts";
export { migrate } from "./migrate.ts";
export { openStore, type PostgresStore } from "./store.ts";
