/** What the environment says; everything else of the program gets it as this value. */
export interface Environment {
  /** `TAILRACE_URL`: the server's origin. (Default: `http://127.0.0.1:4173`) */
  url: string;
  /** `TAILRACE_TOKEN`. (Default: none, for a server without authentication) */
  token: string | undefined;
  /** `TAILRACE_TEAM`. (Default: `demo`) */
  team: string;
  /** `NO_COLOR` and `FORCE_COLOR`, as no-color.org and force-color.org say; `auto`: colour on a terminal. */
  color: "auto" | "always" | "never";
}

const DEFAULT_URL = "http://127.0.0.1:4173";
const DEFAULT_TEAM = "demo";

/** Reads the environment. An empty variable counts as absent. */
export function readEnvironment(env: Readonly<Record<string, string | undefined>>): Environment {
  const given = (name: string): string | undefined => (env[name] === "" ? undefined : env[name]);
  return {
    url: given("TAILRACE_URL") ?? DEFAULT_URL,
    token: given("TAILRACE_TOKEN"),
    team: given("TAILRACE_TEAM") ?? DEFAULT_TEAM,
    color: readColor(given("NO_COLOR"), given("FORCE_COLOR"), given("TERM")),
  };
}

function readColor(no: string | undefined, force: string | undefined, term: string | undefined): Environment["color"] {
  if (no !== undefined) return "never";
  if (force !== undefined) return force === "0" || force === "false" ? "never" : "always";
  return term === "dumb" ? "never" : "auto";
}
