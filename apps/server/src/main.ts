import { openLog } from "./log.ts";
import { startServer } from "./server.ts";
import { readSettings, SettingsError } from "./settings/read.ts";

const USAGE = `usage: main.ts demo | start

  demo    serve this machine alone, against the sandbox, without tokens
  start   serve against the cluster that the kubeconfig (or the pod's service account) names

Settings come from the environment; the README lists them.
`;

const command = process.argv[2];
if (command === "demo" || command === "start") {
  process.exitCode = await main(command);
} else {
  process.stderr.write(USAGE);
  process.exitCode = command === "--help" || command === "-h" ? 0 : 2;
}

async function main(mode: "demo" | "start"): Promise<number> {
  const stop = new AbortController();
  // A second signal changes nothing: npm and the terminal may both deliver one, and closing is bounded in time.
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => stop.abort(signal));
  try {
    const settings = readSettings(mode === "demo" ? { ...process.env, TAILRACE_AUTH: "none" } : process.env);
    const log = openLog(settings, process.stderr.isTTY);
    const sandbox = mode === "demo";
    await using server = await startServer({ settings, sandbox, path: process.env["PATH"], log, signal: stop.signal });
    await new Promise<void>((resolve) => {
      if (stop.signal.aborted) resolve();
      stop.signal.addEventListener("abort", () => resolve());
    });
    log.info({ signal: stop.signal.reason as unknown, url: server.url }, "closing");
    await server.close();
    log.info("closed");
    return 0;
  } catch (error) {
    if (stop.signal.aborted) return 0;
    process.stderr.write(explain(error as Error));
    return 1;
  }
}

function explain(error: Error): string {
  if (error instanceof SettingsError) return error.problems.map((problem) => `tailrace: ${problem}\n`).join("");
  const remedy = "code" in error && error.code === "EADDRINUSE" ? "; set PORT to a free one" : "";
  return `tailrace: could not start: ${error.message}${remedy}\n`;
}
