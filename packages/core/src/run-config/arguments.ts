import type { FieldIssue } from "../errors.ts";
import { findK6Flag, type K6Flag } from "./k6-flags.ts";
import { MAX_ARGUMENTS_BYTES, MAX_ARGUMENT_LENGTH } from "./limits.ts";
import { formatCount, quote } from "./text.ts";

/** What no shell, and no splitting at spaces, changes in a word that is not quoted. */
export const ARGUMENT_PATTERN = /^[A-Za-z0-9_.,:/=@%+-]+$/;

export const ARGUMENT_RULE = `must be a string of 1 to ${formatCount(MAX_ARGUMENT_LENGTH)} characters of A-Z, a-z, 0-9 and _ . , : / = @ % + -, because a shell reads it`;

/**
 * Checks tokens that match {@link ARGUMENT_PATTERN}. k6-operator joins them with spaces for `k6 run`, and gives those
 * it does not strip to `k6 archive` in a shell (its `pkg/types/k6cli.go`, `pkg/resources/jobs/initializer.go`).
 */
export function argumentIssues(tokens: readonly string[]): FieldIssue[] {
  const length = tokens.join(" ").length;
  if (length > MAX_ARGUMENTS_BYTES)
    return [
      {
        path: "arguments",
        message: `arguments must have at most ${formatCount(MAX_ARGUMENTS_BYTES)} characters together, got ${formatCount(length)}`,
      },
    ];
  const issues: FieldIssue[] = [];
  for (let index = 0; index < tokens.length; index++) {
    const at = index;
    const token = tokens[at]!;
    const fail = (message: string): void =>
      void issues.push({ path: `arguments.${at}`, message: `arguments.${at} ${message}` });
    const written = token.includes("=") ? token.slice(0, token.indexOf("=")) : token;
    const known = findK6Flag(written);
    if (!token.startsWith("-")) {
      fail(`must be a flag that starts with -, got ${quote(token)}`);
    } else if (known === undefined) {
      fail(`must be a flag of k6 run, got ${quote(written)}`);
    } else {
      const next = tokens[at + 1];
      const detached = known.takesValue && token === written && next !== undefined && !next.startsWith("-");
      if (detached) index++;
      const value = detached ? next : token === written ? null : token.slice(written.length + 1);
      const problem = flagProblem(known, written, value, detached);
      if (problem !== null) fail(problem);
    }
  }
  return issues;
}

function flagProblem(known: K6Flag, written: string, value: string | null, detached: boolean): string | null {
  if (known.refused !== undefined) return `must not be ${written}: ${known.refused}`;
  if (known.takesValue && value === null) return `must be followed by the value of ${written}`;
  if (known.name === "out") return outputProblem(written, value!, detached);
  // k6-operator takes any token `cloud` before an output for that output.
  if (detached && value === "cloud") return `must not be given cloud as an item of its own: write ${written}=cloud`;
  return null;
}

function outputProblem(written: string, value: string, detached: boolean): string | null {
  if (/^cloud(?:=|$)/.test(value))
    return `must not be ${written} cloud: runs are executed in the cluster, not in Grafana Cloud`;
  if (!detached)
    return `must not be ${written}=…: write ${written} and its value as two items, else the initializer's k6 archive refuses it`;
  return null;
}
