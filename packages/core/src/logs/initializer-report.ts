/** What the initializer prints: the output of `k6 inspect --execution-requirements`. */
export interface InitializerReport {
  /** The longest that the script's scenarios can take, graceful stops included. */
  totalDurationMs: number;
  maxVUs: number;
}

const UNITS: Record<string, number> = { h: 3_600_000, m: 60_000, s: 1000, ms: 1, µs: 0.001, us: 0.001, ns: 0.000_001 };

/** Reads a duration as Go's `time.Duration` prints it (`10m30s`, `1.5s`), in milliseconds; null when it is none. */
export function parseGoDuration(text: string): number | null {
  if (!/^(?:\d+(?:\.\d+)?(?:h|ms|m|s|µs|us|ns))+$/.test(text)) return text === "0" ? 0 : null;
  let sum = 0;
  for (const [, number, unit] of text.matchAll(/(\d+(?:\.\d+)?)(h|ms|m|s|µs|us|ns)/g))
    sum += Number(number) * UNITS[unit!]!;
  return sum;
}

/** Reads the report from the initializer's lines; null while they are not (yet) one whole JSON object. */
export function readInitializerReport(lines: readonly string[]): InitializerReport | null {
  let report: unknown;
  try {
    report = JSON.parse(lines.join("\n"));
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
  if (typeof report !== "object" || report === null) return null;
  const { totalDuration, maxVUs } = report as { totalDuration?: unknown; maxVUs?: unknown };
  const totalDurationMs = typeof totalDuration === "string" ? parseGoDuration(totalDuration) : null;
  if (totalDurationMs === null || typeof maxVUs !== "number") return null;
  return { totalDurationMs, maxVUs };
}
