import { createHash } from "node:crypto";
import type { ServerProcess } from "../../support/server.ts";

/** What was counted in the raw download of a container, and what the server says of it. */
export interface SealReport {
  pod: string;
  role: string;
  source: string | null;
  verified: string | null;
  truncated: string | null;
  gaps: number;
  counted: Sum;
  said: Sum;
}

interface Sum {
  /** Only of runners: what the others write without a newline may be followed by a line of the other output. */
  lines: number | null;
  bytes: number;
  sha256: string | null;
}

const NEWLINE = 0x0a;

/** Downloads every container's bytes and counts them. @throws Error where a stream is not sealed */
export async function readSeals({ url, client }: ServerProcess, runId: string): Promise<SealReport[]> {
  const { items } = await client.logs.streams.query({ teamId: "demo", runId });
  const reports: SealReport[] = [];
  for (const { pod, container, role, sealed, lines, bytes, sha256, source, verified, truncated, gaps } of items) {
    if (!sealed) throw new Error(`the log of ${pod} is not sealed`);
    const path = `api/dashboard/load-testing/teams/demo/test-runs/${runId}/logs/full`;
    const sum = await count(`${url}/${path}?${new URLSearchParams({ format: "raw", pod, container }).toString()}`);
    const counted = { ...sum, lines: role === "runner" ? sum.lines : null };
    const said = { lines: role === "runner" ? lines : null, bytes, sha256 };
    reports.push({ pod, role, source, verified, truncated, gaps, counted, said });
  }
  return reports;
}

async function count(url: string): Promise<Sum> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url}: ${response.status} ${await response.text()}`);
  const hash = createHash("sha256");
  let lines = 0;
  let bytes = 0;
  let last = NEWLINE;
  for await (const chunk of response.body!) {
    hash.update(chunk);
    bytes += chunk.length;
    for (let at = chunk.indexOf(NEWLINE); at >= 0; at = chunk.indexOf(NEWLINE, at + 1)) lines += 1;
    last = chunk.at(-1) ?? last;
  }
  // The last line may have no newline.
  if (last !== NEWLINE) lines += 1;
  return { lines, bytes, sha256: hash.digest("hex") };
}
