/** What a replayed run pretends to be, as far as it can be read without running the script. */
export interface ReplayPlan {
  /** Milliseconds that the script or its arguments ask for, undefined when neither says it plainly. */
  duration: number | undefined;
  /** Most VUs, undefined when the script names VUs in a way that only running it could tell. */
  maxVUs: number | undefined;
  iterations: number | undefined;
}

/** k6's own order: flags, then the environment, then the script. */
export function planReplay(script: string, args: readonly string[], env: Readonly<Record<string, string>>): ReplayPlan {
  const option = (long: string, short: string, variable: string): string | undefined =>
    flagValue(args, long, short) ?? env[variable];
  const text = withoutComments(script);
  const iterations = Number(option("--iterations", "-i", "K6_ITERATIONS") ?? literal(text, "iterations")?.[0] ?? NaN);
  const duration = option("--duration", "-d", "K6_DURATION");
  const vus = option("--vus", "-u", "K6_VUS");
  return {
    duration: duration === undefined ? scriptDuration(text) : parseDuration(duration),
    maxVUs: vus === undefined ? scriptVUs(text) : Number(vus),
    iterations: Number.isNaN(iterations) ? undefined : iterations,
  };
}

/** `1m30s` in milliseconds; undefined for what is no duration of k6's. */
export function parseDuration(text: string): number | undefined {
  if (/^\d+$/.test(text)) return Number(text);
  if (!/^(\d+(\.\d+)?(h|ms|m|s))+$/.test(text)) return undefined;
  const units: Record<string, number> = { h: 3_600_000, m: 60_000, s: 1000, ms: 1 };
  return Array.from(text.matchAll(/(\d+(?:\.\d+)?)(h|ms|m|s)/g)).reduce(
    (sum, [, number, unit]) => sum + Number(number) * units[unit!]!,
    0,
  );
}

/** Milliseconds as Go prints a duration: `10m30s`. */
export function formatDuration(ms: number): string {
  const seconds = (ms % 60_000) / 1000;
  const minutes = Math.floor(ms / 60_000) % 60;
  const hours = Math.floor(ms / 3_600_000);
  if (hours > 0) return `${hours}h${minutes}m${seconds}s`;
  return minutes > 0 ? `${minutes}m${seconds}s` : `${seconds}s`;
}

/** The VUs of one of several runners: k6 gives each segment its share of the whole. */
export function segmentShare(total: number, index: number, runners: number): number {
  return Math.floor((total * index) / runners) - Math.floor((total * (index - 1)) / runners);
}

/** Stages run one after another; of several scenarios the longest counts. */
function scriptDuration(text: string): number | undefined {
  const stages = Array.from(text.matchAll(/stages\s*:\s*\[([^\]]*)\]/g), ([, body]) => sum(durations(body!)));
  const others = durations(text.replace(/stages\s*:\s*\[[^\]]*\]/g, ""));
  const all = [...stages, ...others];
  return all.length === 0 ? undefined : Math.max(...all);
}

function durations(text: string): number[] {
  return Array.from(text.matchAll(/\bduration\s*:\s*(['"`])([^'"`]*)\1/g), ([, , value]) =>
    parseDuration(value!),
  ).filter((ms) => ms !== undefined);
}

/** Without a word about VUs k6 takes one. */
function scriptVUs(text: string): number | undefined {
  const named = ["vus", "preAllocatedVUs", "maxVUs", "startVUs", "target"].flatMap((name) => literal(text, name) ?? []);
  if (named.length > 0) return Math.max(...named);
  return /\b(vus|preAllocatedVUs|maxVUs|target|__ENV)\b/.test(text) ? undefined : 1;
}

function literal(text: string, name: string): number[] | undefined {
  const found = Array.from(text.matchAll(new RegExp(`\\b${name}\\s*:\\s*(\\d+)\\b`, "g")), ([, value]) =>
    Number(value),
  );
  return found.length === 0 ? undefined : found;
}

function flagValue(args: readonly string[], long: string, short: string): string | undefined {
  const at = args.findIndex((token) => token === long || token === short);
  if (at !== -1) return args[at + 1];
  return args.find((token) => token.startsWith(`${long}=`))?.slice(long.length + 1);
}

function withoutComments(script: string): string {
  return script.replace(/\/\*[\s\S]*?\*\//g, "").replace(/(^|\s)\/\/.*$/gm, "$1");
}

function sum(numbers: number[]): number {
  return numbers.reduce((total, each) => total + each, 0);
}
