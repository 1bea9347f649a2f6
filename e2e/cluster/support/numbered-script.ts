import type { RunInput } from "../../support/runs.ts";

/** Lines between two pauses. */
const BATCH = 500;

export interface NumberedScript {
  runners: number;
  /** Of each runner. */
  lines: number;
  /** How long a runner pauses behind each {@link BATCH} lines, in seconds; 0 for as fast as k6 can. */
  pause: number;
}

/**
 * A run whose runners each print numbered lines: those of `paddedLine`, on stderr, and no others.
 *
 * Each runner gets one of the virtual users, and knows its pod by the host name. A raw log line is the message alone.
 */
export function numberedScript({ runners, lines, pause }: NumberedScript): RunInput {
  const script = `
import { sleep } from "k6";
export const options = {
  scenarios: { numbered: { executor: "per-vu-iterations", vus: ${runners}, iterations: 1, maxDuration: "30m", gracefulStop: "1s" } },
};
const PADDING = "x".repeat(80);
export default function () {
  for (let n = 0; n < ${lines}; n++) {
    console.log(\`stream=\${__ENV.HOSTNAME} n=\${n} \${PADDING}\`);
    if (n % ${BATCH} === ${BATCH - 1}) sleep(${pause});
  }
}
export function handleSummary() {
  return {};
}
`;
  return { script, parallelism: runners, arguments: ["--log-format=raw"] };
}
