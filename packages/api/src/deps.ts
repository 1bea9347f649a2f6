import type { ApiLimits, ApiStore } from "./context.ts";

/** `token`: requests carry a Bearer token, the installation's or a team's. `none`: see `openModeRefusal`. */
export type AuthSettings = { mode: "token"; adminToken: string } | { mode: "none" };

/** The part of a pino logger that the API uses. */
export interface ApiLog {
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

export interface ApiDeps {
  store: ApiStore;
  auth: AuthSettings;
  limits: ApiLimits;
  log: ApiLog;
  /** Cryptographically strong random bytes, for example `node:crypto`'s `randomBytes`. */
  random: (length: number) => Uint8Array;
}

/** What the routes are given. */
export interface RouteDeps extends ApiDeps {
  /** Aborted when the server ends. */
  closing: AbortSignal;
}
