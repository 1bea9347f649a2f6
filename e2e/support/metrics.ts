import type { ServerProcess } from "./server.ts";

/** The `TAILRACE_METRICS_TOKEN` of servers whose metrics are read. */
export const METRICS_TOKEN = "the-metrics-token-of-the-tests";

/** The samples of a server's metric by their labels, as `/metrics` has them now; none where nothing was counted yet. */
export async function readMetric({ url }: Pick<ServerProcess, "url">, name: string): Promise<Map<string, number>> {
  const response = await fetch(`${url}/metrics`, { headers: { authorization: `Bearer ${METRICS_TOKEN}` } });
  const text = await response.text();
  if (!text.includes(`# TYPE ${name} `)) throw new Error(`${response.status}: there is no metric ${name}`);
  const samples = text.matchAll(new RegExp(`^${name}(?:\\{(.*)\\})? (\\S+)$`, "gm"));
  return new Map(Array.from(samples, ([, labels = "", value]) => [labels, Number(value)]));
}

/** The sum of a metric's samples. */
export async function sumOf(server: Pick<ServerProcess, "url">, name: string): Promise<number> {
  return Array.from((await readMetric(server, name)).values()).reduce((sum, value) => sum + value, 0);
}
