import type { ContainerProcess, Exit, Output, RestAnswer, RestRequest } from "./process.ts";

/** Reaches the runner behind the address of a Service. */
export type Reach = (address: string, request: RestRequest) => Promise<RestAnswer>;

/** Whether a container is the operator's starter. */
export function isStarter(argv: readonly string[]): boolean {
  return argv[0] === "sh" && (argv[2] ?? "").startsWith("curl --retry 3 -X PATCH ");
}

/**
 * Does what the starter's curl commands do, without curl: the addresses of Services exist in the sandbox only. Prints what
 * they print, and ends with the code of the last one.
 */
export function startStarter(argv: readonly string[], reach: Reach, output: Output): ContainerProcess {
  const abort = new AbortController();
  const run = async (): Promise<Exit> => {
    let exitCode = 0;
    for (const [, url, address] of argv[2]!.matchAll(/(http:\/\/([0-9.]+):6565\/v1\/status)/g)) {
      if (abort.signal.aborted) return { exitCode: 143 };
      exitCode = await unpause(url!, address!, reach, output);
    }
    return { exitCode };
  };
  const ended = run().then((exit) => {
    output.endStream("stdout");
    return exit;
  });
  return { ended, terminate: () => abort.abort(), kill: () => abort.abort() };
}

const BODY = `{"data":{"attributes":{"paused":false,"stopped":false},"id":"default","type":"status"}}`;

async function unpause(url: string, address: string, reach: Reach, output: Output): Promise<number> {
  const started = performance.now();
  const seconds = (): string => ((performance.now() - started) / 1000).toFixed(6);
  try {
    const { status, body } = await reach(address, {
      method: "PATCH",
      path: "/v1/status",
      body: BODY,
      contentType: "application/json",
    });
    const time = seconds();
    output.write("stdout", Buffer.from(`${body}\n${report(String(status), time, time, url, address, "")}`));
    return 0;
  } catch {
    const message = `Failed to connect to ${address} port 6565 after ${Math.round(performance.now() - started)} ms: Could not connect to server`;
    output.write("stdout", Buffer.from(`\n${report("000", seconds(), "0.000000", url, "", message)}`));
    return 7;
  }
}

function report(code: string, total: string, first: string, url: string, ip: string, error: string): string {
  return `{"http_code":${code},"time_total":${total},"time_starttransfer":${first},"url":"${url}","remote_ip":"${ip}","errormsg":"${error}"}`;
}
