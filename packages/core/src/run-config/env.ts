import type { FieldIssue } from "../errors.ts";
import { MAX_ENV_BYTES, MAX_ENV_NAMES, MAX_ENV_VALUE_BYTES } from "./limits.ts";
import { formatCount, quote, textProblem, utf8Length } from "./text.ts";

/** What `k6 archive -e` takes as a name, and a shell too. */
const ENV_NAME_PATTERN = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** Names that a run may not set, with the reason. A name that ends in `*` stands for all that start so. */
const REFUSED: Readonly<Record<string, string>> = {
  PATH: "the pods would not find k6",
  "LD_*": "it changes what the programs in the pods load",
  SHELLOPTS: "it changes the shell of the initializer",
  K6_LOG_OUTPUT: "Tailrace keeps what the container prints, and the initializer's report must be alone on stdout",
  K6_CONSOLE_OUTPUT: "Tailrace keeps what the container prints, and a file is lost with the pod",
  K6_ADDRESS: "k6-operator sets the address to start the runners",
  K6_PAUSED: "k6-operator pauses the runners so that all start together",
  K6_LINGER: "the runners would never end",
  K6_OUT: "name outputs in arguments, as --out and its value",
  K6_CONFIG: "the pods have no configuration file; options belong into the script",
  K6_TYPE: "the script is always JavaScript",
  K6_INCLUDE_SYSTEM_ENV_VARS: "the scripts get env this way",
  K6_PROFILING_ENABLED: "it would open the profiler on the runners' port, which has no password",
  K6_NO_USAGE_REPORT: "Tailrace sets it",
  K6_BUILD_SERVICE_URL: "k6 would fetch another program than the image's from there",
  "K6_PROVISION_*": "k6 would fetch another program than the image's from there",
};

function refusal(name: string): string | undefined {
  if (Object.hasOwn(REFUSED, name)) return REFUSED[name];
  const prefix = Object.keys(REFUSED).find((pattern) => pattern.endsWith("*") && name.startsWith(pattern.slice(0, -1)));
  return prefix === undefined ? undefined : REFUSED[prefix];
}

/** The names that a run may not set, as {@link envIssues} refuses them. */
export const REFUSED_ENV_NAMES: readonly string[] = Object.keys(REFUSED);

/** Checks names and values; sizes are bounded because the initializer's shell command carries them all. */
export function envIssues(env: Readonly<Record<string, string>>): FieldIssue[] {
  const names = Object.keys(env);
  if (names.length > MAX_ENV_NAMES)
    return [{ path: "env", message: `env must have at most ${MAX_ENV_NAMES} names, got ${names.length}` }];
  const issues: FieldIssue[] = [];
  let total = 0;
  for (const name of names) {
    const problem = nameProblem(name) ?? valueProblem(env[name]!);
    if (problem !== null) issues.push({ path: `env.${name}`, message: `env.${shorten(name)} ${problem}` });
    total += utf8Length(name) + utf8Length(env[name]!);
  }
  if (issues.length === 0 && total > MAX_ENV_BYTES) {
    const limit = formatCount(MAX_ENV_BYTES);
    issues.push({
      path: "env",
      message: `env must have at most ${limit} bytes, names and values together, got ${formatCount(total)}`,
    });
  }
  return issues;
}

function nameProblem(name: string): string | null {
  if (name === "__proto__") return "must not be set: JavaScript takes it for the object's prototype";
  if (!ENV_NAME_PATTERN.test(name))
    return `must have a name of A-Z, a-z, 0-9 and _ that does not start with a digit, got ${quote(name)}`;
  const reason = refusal(name);
  return reason === undefined ? null : `must not be set: ${reason}`;
}

function valueProblem(value: string): string | null {
  const bytes = utf8Length(value);
  if (bytes > MAX_ENV_VALUE_BYTES)
    return `must have at most ${formatCount(MAX_ENV_VALUE_BYTES)} bytes, got ${formatCount(bytes)}`;
  return textProblem(value);
}

function shorten(name: string): string {
  return name.length > 60 ? `${name.slice(0, 60)}…` : name;
}
