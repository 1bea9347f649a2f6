import type { EnvVar, TestRunSpec } from "../store/kinds.ts";
import type { ParsedArguments } from "./arguments.ts";

/** The script's path in the pods of a TestRun. */
function scriptPath(spec: TestRunSpec): string {
  const { volumeClaim, configMap, localFile } = spec.script ?? {};
  if (volumeClaim?.name) return `/test/${volumeClaim.file || "test.js"}`;
  if (configMap?.name) return `/test/${configMap.file || "test.js"}`;
  return localFile ?? "/test/test.js";
}

/** `k6 run` of runner `index` (1..parallelism), as k6-operator's pkg/resources/jobs/runner.go builds it. */
export function runnerCommand(testRun: string, spec: TestRunSpec, index: number, args: ParsedArguments): string[] {
  return [
    "k6",
    "run",
    ...(spec.quiet === "false" ? [] : ["--quiet"]),
    ...(spec.parallelism > 1 ? segment(index, spec.parallelism) : []),
    ...args.run,
    scriptPath(spec),
    "--address=0.0.0.0:6565",
    ...(spec.paused === "false" ? [] : ["--paused"]),
    "--tag",
    `instance_id=${index}`,
    "--tag",
    `testrun_name=${testRun}`,
  ];
}

function segment(index: number, total: number): string[] {
  const bound = (at: number): string => (at === 0 ? "0" : at === total ? "1" : `${at}/${total}`);
  const sequence = Array.from({ length: total + 1 }, (_, at) => bound(at)).join(",");
  return [`--execution-segment=${bound(index - 1)}:${bound(index)}`, `--execution-segment-sequence=${sequence}`];
}

/** The initializer's shell command, as k6-operator's pkg/resources/jobs/initializer.go builds it. */
export function initializerCommand(spec: TestRunSpec, env: EnvVar[], args: ParsedArguments): string[] {
  const script = scriptPath(spec);
  const archive = `/tmp/${script.split("/").at(-1)}.archived.tar`;
  const variables = env.map(({ name, value }) => ` -e ${name}="${value ?? ""}"`).join("");
  const lines = [
    "if ! command -v k6 >/dev/null 2>&1; then",
    `  echo 'level=error msg="k6 executable not found in PATH; initializer image must contain k6"' >&2`,
    "  exit 127",
    "fi",
    "",
    "logs=/tmp/k6logs",
    "",
    `if ! mkdir -p "$(dirname ${archive})"; then`,
    "  exit 1",
    "fi",
    "",
    `if ! k6 archive ${script}${variables} -O ${archive} ${args.archive} 2> "\${logs}"; then`,
    '  cat "${logs}"',
    "  exit 1",
    "fi",
    "",
    `if ! k6 inspect --execution-requirements ${archive} 2> "\${logs}"; then`,
    '  cat "${logs}"',
    "  exit 1",
    "fi",
    "",
    `if grep 'level.*error' "\${logs}"; then`,
    "  exit 1",
    "fi",
  ];
  return ["sh", "-c", lines.join("\n")];
}

/** The starter's shell command: one curl per runner, by the address of its Service. */
export function starterCommand(addresses: string[]): string[] {
  const body = `{"data":{"attributes":{"paused":false,"stopped":false},"id":"default","type":"status"}}`;
  const report = [
    `"http_code":%{http_code}`,
    `"time_total":%{time_total}`,
    `"time_starttransfer":%{time_starttransfer}`,
    `"url":"%{url_effective}"`,
    `"remote_ip":"%{remote_ip}"`,
    `"errormsg":"%{errormsg}"`,
  ].join(",");
  const curl = (address: string): string =>
    `curl --retry 3 -X PATCH -H 'Content-Type: application/json' http://${address}:6565/v1/status -d '${body}' -s -w '\n{${report}}'`;
  return ["sh", "-c", addresses.map(curl).join(";")];
}
