import { createHash } from "node:crypto";
import type { ServerProcess } from "../../e2e/support/server.ts";

const TEAM = "demo";
const NEWLINE = 0x0a;

/** What a look at the seals of a run found. */
export interface SealReport {
  /** Streams by how they were verified, and by the source that they ended with: `full by node`. */
  verified: Record<string, number>;
  /** What is wrong, a line for each. */
  wrong: string[];
}

/**
 * Adds up the raw download of every runner's stream and compares that with what its seal says.
 *
 * @param emptied - pods of whose log nothing can be read any more, since it was rotated behind their last line
 */
export async function checkSeals(
  { url, client }: ServerProcess,
  runId: string,
  emptied: ReadonlySet<string>,
): Promise<SealReport> {
  const { items } = await client.logs.streams.query({ teamId: TEAM, runId });
  const report: SealReport = { verified: {}, wrong: [] };
  for (const { role, pod, container, lines, bytes, sealed, verified, sha256, source } of items) {
    if (role !== "runner") continue;
    const how = `${verified ?? "no"} by ${source}`;
    report.verified[how] = (report.verified[how] ?? 0) + 1;
    if (!sealed || (verified === null && !emptied.has(pod))) report.wrong.push(`${pod} is not sealed and verified`);
    const found = await addUp(
      `${url}/api/dashboard/load-testing/teams/${TEAM}/test-runs/${runId}/logs/full?format=raw&pod=${pod}&container=${container}`,
    );
    if (found.lines !== lines || found.bytes !== bytes || found.sha256 !== sha256)
      report.wrong.push(
        `the seal of ${pod} says ${lines} lines, ${bytes} bytes, ${sha256}; its download has ${JSON.stringify(found)}`,
      );
  }
  return report;
}

async function addUp(url: string): Promise<{ lines: number; bytes: number; sha256: string }> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url}: ${response.status} ${await response.text()}`);
  const hash = createHash("sha256");
  let lines = 0;
  let bytes = 0;
  for await (const piece of response.body!) {
    hash.update(piece);
    bytes += piece.length;
    for (let at = piece.indexOf(NEWLINE); at !== -1; at = piece.indexOf(NEWLINE, at + 1)) lines += 1;
  }
  return { lines, bytes, sha256: hash.digest("hex") };
}
