import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ARGUMENT_PATTERN, argumentIssues } from "./arguments.ts";
import { K6_RUN_FLAGS } from "./k6-flags.ts";
import { validateK6TestRunConfig } from "./validate.ts";

/** The messages of a config with these arguments. */
function messages(tokens: unknown): string[] {
  const validation = validateK6TestRunConfig({ name: "a", script: "b", arguments: tokens });
  return validation.ok ? [] : validation.issues.map(({ message }) => message);
}

const RULE =
  "must be a string of 1 to 1,024 characters of A-Z, a-z, 0-9 and _ . , : / = @ % + -, because a shell reads it";

it.each([
  [[]],
  [["--vus", "10", "--duration=30s"]],
  [["-u", "10", "-i=100", "-s", "1m:10", "-s", "1m:0"]],
  [["--tag", "kind=smoke", "--tag=team=a", "-e", "TARGET=http://10.0.0.1:80/a%20b"]],
  [["--no-thresholds", "--http-debug=full", "--http-debug", "-w", "-v"]],
  [["--out", "json=/tmp/out.json", "-o", "experimental-prometheus-rw"]],
  [["--user-agent=cloud", "--max-redirects=-1"]],
])("takes %j", (tokens) => {
  expect(messages(tokens)).toEqual([]);
});

it.each([
  [["vus"], 'arguments.0 must be a flag that starts with -, got "vus"'],
  [["--vus", "1", "2"], 'arguments.2 must be a flag that starts with -, got "2"'],
  [["--no-setup", "true"], 'arguments.1 must be a flag that starts with -, got "true"'],
  [["--vus"], "arguments.0 must be followed by the value of --vus"],
  [["-u", "-v"], "arguments.0 must be followed by the value of -u"],
  [["-u5"], 'arguments.0 must be a flag of k6 run, got "-u5"'],
  [["--nope=1"], 'arguments.0 must be a flag of k6 run, got "--nope"'],
  [["-undefined"], 'arguments.0 must be a flag of k6 run, got "-undefined"'],
  [["--"], 'arguments.0 must be a flag of k6 run, got "--"'],
  [["--local-execution"], 'arguments.0 must be a flag of k6 run, got "--local-execution"'],
  [["--archive-out=x"], 'arguments.0 must be a flag of k6 run, got "--archive-out"'],
  [["--address=0.0.0.0:1"], "arguments.0 must not be --address: k6-operator sets it to start the runners"],
  [["-l"], "arguments.0 must not be -l: the runners would never end"],
  [
    ["--log-output", "stdout"],
    "arguments.0 must not be --log-output: Tailrace keeps what the container prints, and k6-operator leaves out every argument after it in the initializer",
  ],
  [
    ["--out=json=x"],
    "arguments.0 must not be --out=…: write --out and its value as two items, else the initializer's k6 archive refuses it",
  ],
  [["-o", "cloud"], "arguments.0 must not be -o cloud: runs are executed in the cluster, not in Grafana Cloud"],
  [["--out", "cloud=x"], "arguments.0 must not be --out cloud: runs are executed in the cluster, not in Grafana Cloud"],
  [
    ["--user-agent", "cloud", "-o", "csv=x"],
    "arguments.0 must not be given cloud as an item of its own: write --user-agent=cloud",
  ],
  [["--tag a=b"], `arguments.0 ${RULE}, got the string "--tag a=b"`],
  [["--tag=a=$(id)"], `arguments.0 ${RULE}, got the string "--tag=a=$(id)"`],
  [["--tag=a;b"], `arguments.0 ${RULE}, got the string "--tag=a;b"`],
  [[""], `arguments.0 ${RULE}, got the string ""`],
  [["--vus", 5], `arguments.1 ${RULE}, got 5`],
  [[null], `arguments.0 ${RULE}, got null`],
  [[`--tag=${"x".repeat(1019)}`], `arguments.0 ${RULE}, got the string "--tag=${"x".repeat(54)}"…`],
  ["--vus 5", 'arguments must be an array of at most 100 strings, got the string "--vus 5"'],
  [null, "arguments must be an array of at most 100 strings, got null"],
  [Array.from({ length: 101 }, () => "-v"), "arguments must have at most 100 items, got 101"],
  [
    Array.from({ length: 17 }, () => `--tag=${"x".repeat(1000)}`),
    "arguments must have at most 16,384 characters together, got 17,118",
  ],
])("refuses case %#", (tokens, message) => {
  expect(messages(tokens)).toEqual([message]);
});

describe("each flag of k6 run", () => {
  it.each(K6_RUN_FLAGS.map((flag) => [flag.name, flag] as const))(
    "--%s is allowed or refused with its reason",
    (name, flag) => {
      const value = flag.name === "out" ? "json=x" : "1";
      for (const written of flag.short === undefined ? [`--${name}`] : [`--${name}`, `-${flag.short}`]) {
        const issues = argumentIssues(flag.takesValue ? [written, value] : [written]);
        expect(issues).toEqual(
          flag.refused === undefined
            ? []
            : [{ path: "arguments.0", message: `arguments.0 must not be ${written}: ${flag.refused}` }],
        );
      }
    },
  );
});

it("lets only through what a shell leaves alone", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme-ascii" }), (token) => {
      const safe = token !== "" && !/[\s"'`$\\|&;<>()*?[\]#~!^{}]/.test(token);
      expect(ARGUMENT_PATTERN.test(token)).toBe(safe);
    }),
  );
  expect(ARGUMENT_PATTERN.test("ä")).toBe(false);
  expect(ARGUMENT_PATTERN.test("a\n")).toBe(false);
});
