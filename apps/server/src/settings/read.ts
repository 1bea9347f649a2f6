import { DEFINITIONS, type Definition, type Settings } from "./definitions.ts";

/** Settings that are wrong or missing, each in one line that names its variable. */
export class SettingsError extends Error {
  override readonly name = "SettingsError";
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(problems.join("\n"));
    this.problems = problems;
  }
}

/**
 * Reads every setting from an environment. An empty variable counts as not set.
 *
 * @throws SettingsError naming each variable that is wrong
 */
export function readSettings(env: Record<string, string | undefined>): Settings {
  const problems: string[] = [];
  const entries = Object.entries(DEFINITIONS).map(([key, definition]: [string, Definition<unknown>]) => {
    const given = env[definition.env] === "" ? undefined : env[definition.env];
    const result = definition.schema.safeParse(given ?? definition.fallback ?? undefined);
    if (result.success) return [key, result.data];
    const rule = result.error.issues.map((issue) => issue.message).join(", ");
    const got = definition.secret === true || given === undefined ? "" : `, got ${JSON.stringify(given)}`;
    problems.push(`${definition.env} ${rule}${got}`);
    return [key, undefined];
  });
  problems.push(...unknownSettings(env));
  if (problems.length > 0) throw new SettingsError(problems);
  return Object.fromEntries(entries) as Settings;
}

/** What the variables of the CLI and the test script are called; the server leaves them alone. */
const OF_OTHERS = new Set(["TAILRACE_URL", "TAILRACE_TOKEN", "TAILRACE_TEAM"]);

function unknownSettings(env: Record<string, string | undefined>): string[] {
  const known = new Set(Object.values(DEFINITIONS).map((definition) => definition.env));
  return Object.keys(env)
    .filter((name) => name.startsWith("TAILRACE_") && !name.startsWith("TAILRACE_TEST_"))
    .filter((name) => !known.has(name) && !OF_OTHERS.has(name))
    .map((name) => `${name} is not a setting of Tailrace`);
}

/** True for an address on which only this machine can connect. */
function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127(?:\.\d{1,3}){3}$/.test(host);
}

/**
 * Checks what settings mean together for a server that is about to listen.
 *
 * @throws SettingsError naming the variable to set or change
 */
export function checkServing(settings: Settings): void {
  if (settings.auth === "none") {
    if (isLoopback(settings.host)) return;
    throw new SettingsError([
      `TAILRACE_AUTH=none is refused with HOST=${settings.host}: anybody who reaches it could run scripts; use HOST=127.0.0.1 or tokens`,
    ]);
  }
  if (settings.adminToken !== undefined) return;
  throw new SettingsError([
    "TAILRACE_ADMIN_TOKEN is not set: it makes teams and tokens (or set TAILRACE_AUTH=none to open the API to this machine alone)",
  ]);
}
