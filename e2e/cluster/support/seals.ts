import { createHash } from "node:crypto";
import { eachEntry } from "../../support/numbered.ts";
import type { ServerProcess } from "../../support/server.ts";

/** What was counted in the downloads of a container, and what the server says of it. */
export interface SealReport {
  pod: string;
  role: string;
  source: string | null;
  verified: string | null;
  truncated: string | null;
  gaps: number;
  /** Its gaps, in words. */
  marks: string[];
  counted: Sum;
  said: Sum;
}

interface Sum {
  lines: number;
  bytes: number;
  sha256: string | null;
}

/** Downloads every container's lines and bytes, and counts them. @throws Error where a stream is not sealed */
export async function readSeals({ url, client }: ServerProcess, runId: string): Promise<SealReport[]> {
  const { items } = await client.logs.streams.query({ teamId: "demo", runId });
  const entries = await countEntries(url, runId);
  const reports: SealReport[] = [];
  for (const { pod, container, role, sealed, lines, bytes, sha256, source, verified, truncated, gaps } of items) {
    if (!sealed) throw new Error(`the log of ${pod} is not sealed`);
    const path = `api/dashboard/load-testing/teams/demo/test-runs/${runId}/logs/full`;
    const sum = await addUp(`${url}/${path}?${new URLSearchParams({ format: "raw", pod, container }).toString()}`);
    const { lines: counted, marks } = entries.get(`${pod}/${container}`) ?? { lines: 0, marks: [] };
    const said = { lines, bytes, sha256 };
    reports.push({ pod, role, source, verified, truncated, gaps, marks, counted: { lines: counted, ...sum }, said });
  }
  return reports;
}

interface Entry {
  pod: string;
  container: string;
  seq: number;
  line?: string;
  gap?: { text: string };
}

/** The lines and gaps of each container. Its bytes do not tell where a line ends that has no newline of its own. */
async function countEntries(url: string, runId: string): Promise<Map<string, { lines: number; marks: string[] }>> {
  const counts = new Map<string, { lines: number; marks: string[] }>();
  await eachEntry(url, runId, (json) => {
    const { pod, container, seq, line, gap } = JSON.parse(json) as Entry;
    const key = `${pod}/${container}`;
    const count = counts.get(key) ?? { lines: 0, marks: [] };
    counts.set(key, count);
    if (line !== undefined) count.lines += 1;
    if (gap !== undefined) count.marks.push(`${pod} before ${seq}: ${gap.text}`);
  });
  return counts;
}

async function addUp(url: string): Promise<Omit<Sum, "lines">> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url}: ${response.status} ${await response.text()}`);
  const hash = createHash("sha256");
  let bytes = 0;
  for await (const chunk of response.body!) {
    hash.update(chunk);
    bytes += chunk.length;
  }
  return { bytes, sha256: hash.digest("hex") };
}
