import { setImmediate as turn, setTimeout as sleep } from "node:timers/promises";
import type { Program, ProgramPod } from "@tailrace/sandbox";

export interface NumberedOptions {
  /** Lines of each container. */
  lines: number;
  /** Lines written at once. (Default: 200) */
  batch?: number;
  /** Between two batches, in milliseconds; 0 for as fast as possible. (Default: 0) */
  everyMs?: number;
  /** Added to each line. (Default: 80 characters) */
  padding?: string;
}

/** Runners that print `stream={pod} n={0, 1, 2, …} …`, every 50th line on stderr. */
export function numberedRunners({
  lines,
  batch = 200,
  everyMs = 0,
  padding = "x".repeat(80),
}: NumberedOptions): Program {
  return {
    matches: isRunner,
    async run(output, { pod, resumed, terminated }) {
      await resumed;
      const { name } = pod.metadata;
      for (let n = 0; n < lines && !terminated.aborted; n += batch) {
        const stdout: string[] = [];
        for (let at = n; at < Math.min(lines, n + batch); at += 1) {
          const line = `stream=${name} n=${at} ${padding}\n`;
          if (at % 50 !== 49) stdout.push(line);
          else {
            output.write("stdout", Buffer.from(stdout.splice(0).join("")));
            output.write("stderr", Buffer.from(line));
          }
        }
        output.write("stdout", Buffer.from(stdout.join("")));
        await (everyMs === 0 ? turn() : sleep(everyMs));
      }
      return 0;
    },
  };
}

export function isRunner(pod: ProgramPod): boolean {
  return pod.metadata.labels?.["runner"] === "true";
}

/** What a check of numbered lines found, of all streams together. */
export interface NumberedReport {
  streams: number;
  lines: number;
  lost: number;
  /** Lost lines that no gap stands for. */
  unflagged: number;
  doubled: number;
  reordered: number;
  gaps: { reason: string; certain: boolean }[];
  truncated: string[];
}

/** Reads an NDJSON download and counts what is wrong in it; knows nothing of how it was made. */
export class NumberedCheck {
  readonly #expected: number;
  readonly #streams = new Map<string, { last: number; seq: number; gap: boolean; seen: number }>();
  readonly #report: NumberedReport = {
    streams: 0,
    lines: 0,
    lost: 0,
    unflagged: 0,
    doubled: 0,
    reordered: 0,
    gaps: [],
    truncated: [],
  };

  /** @param expected - lines of each stream */
  constructor(expected: number) {
    this.#expected = expected;
  }

  line(text: string): void {
    const entry = JSON.parse(text) as {
      role: string;
      pod: string;
      container: string;
      seq: number;
      line?: string;
      gap?: { reason: string; certain: boolean };
      truncated?: string;
    };
    if (entry.role !== "runner") return;
    const stream = this.#streams.get(entry.pod) ?? { last: -1, seq: 0, gap: false, seen: 0 };
    this.#streams.set(entry.pod, stream);
    if (entry.gap !== undefined) {
      stream.gap = true;
      this.#report.gaps.push(entry.gap);
    } else if (entry.truncated !== undefined) this.#report.truncated.push(entry.truncated);
    else this.#number(stream, entry.pod, entry.seq, entry.line ?? "");
  }

  #number(
    stream: { last: number; seq: number; gap: boolean; seen: number },
    pod: string,
    seq: number,
    line: string,
  ): void {
    const [, name, number] = /^stream=(\S+) n=(\d+) /.exec(line) ?? [];
    if (name !== pod || number === undefined) throw new Error(`pod ${pod} said: ${line.slice(0, 200)}`);
    if (seq !== stream.seq) throw new Error(`pod ${pod}: seq ${seq} follows ${stream.seq - 1}`);
    stream.seq += 1;
    stream.seen += 1;
    const n = Number(number);
    if (n === stream.last) this.#report.doubled += 1;
    else if (n < stream.last) this.#report.reordered += 1;
    else {
      const missing = n - stream.last - 1;
      this.#report.lost += missing;
      if (!stream.gap) this.#report.unflagged += missing;
      stream.last = n;
    }
    stream.gap = false;
  }

  result(): NumberedReport {
    for (const stream of this.#streams.values()) {
      const missing = this.#expected - 1 - stream.last;
      this.#report.lost += missing;
      if (!stream.gap) this.#report.unflagged += missing;
      this.#report.lines += stream.seen;
    }
    return { ...this.#report, streams: this.#streams.size };
  }
}

/** Downloads a run's lines and checks them. */
export async function checkNumbered(serverUrl: string, runId: string, expected: number): Promise<NumberedReport> {
  const url = `${serverUrl}/api/dashboard/load-testing/teams/demo/test-runs/${runId}/logs/full?format=ndjson`;
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url}: ${response.status} ${await response.text()}`);
  const check = new NumberedCheck(expected);
  const decoder = new TextDecoder();
  let rest = "";
  for await (const bytes of response.body!) {
    const lines = (rest + decoder.decode(bytes, { stream: true })).split("\n");
    rest = lines.pop()!;
    for (const line of lines) check.line(line);
  }
  if (rest !== "") throw new Error("the download ends inside a line");
  return check.result();
}
