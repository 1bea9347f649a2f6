import type { ProgramPod } from "@tailrace/sandbox";

/** What line `n` of a pod says, from 0 on: `stream={pod} n={n} …`, without its newline. */
export type NumberedText = (pod: string, n: number) => string;

const PADDING = "x".repeat(80);

export function paddedLine(pod: string, n: number): string {
  return `stream=${pod} n=${n} ${PADDING}`;
}

/** Which of a pod's lines go to stderr: every 50th. */
export function onStderr(n: number): boolean {
  return n % 50 === 49;
}

/** Writes the lines from `n` to before `end`. */
export function writeNumbered(
  output: { write(stream: "stdout" | "stderr", chunk: Buffer): void },
  text: NumberedText,
  pod: string,
  n: number,
  end: number,
): void {
  let stdout = "";
  for (let at = n; at < end; at += 1) {
    const line = `${text(pod, at)}\n`;
    if (!onStderr(at)) stdout += line;
    else {
      if (stdout !== "") output.write("stdout", Buffer.from(stdout));
      stdout = "";
      output.write("stderr", Buffer.from(line));
    }
  }
  if (stdout !== "") output.write("stdout", Buffer.from(stdout));
}

export function isRunner(pod: ProgramPod): boolean {
  return pod.metadata.labels?.["runner"] === "true";
}

/** A mark that lines are (`certain`) or may be missing. */
export interface GapMark {
  pod: string;
  /** The seq of the line behind it. */
  seq: number;
  reason: string;
  certain: boolean;
  /** The number of the line behind it; that of the first line never written where none is. */
  before: number;
  /** How many lines are missing there. */
  lost: number;
}

/** Lines of one pod that are missing: from `from` to before `until`. */
export interface Hole {
  pod: string;
  from: number;
  until: number;
  /** Null where nothing in the log tells of it. */
  gap: GapMark | null;
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
  /** Lines that are no line that was written. */
  damaged: string[];
  /** Ends of long lines that stand behind a gap because their beginning was rotated away. */
  rests: number;
  gaps: GapMark[];
  /** Gaps that say that lines are missing where none is. */
  untrueGaps: GapMark[];
  holes: Hole[];
  truncated: string[];
}

interface Stream {
  pod: string;
  /** The greatest number so far. */
  last: number;
  seq: number;
  lines: number;
  seen: Uint8Array;
  /** The gap behind the last line. */
  gap: GapMark | null;
  /** The first thing behind a gap, which is no whole line. */
  rest: string | null;
}

/** One object of an NDJSON download. */
interface Entry {
  role: string;
  pod: string;
  seq: number;
  line?: string;
  gap?: { reason: string; certain: boolean };
  truncated?: string;
}

/** Reads an NDJSON download and counts what is wrong in it; knows nothing of how it was made. */
export class NumberedCheck {
  readonly #expected: number;
  readonly #text: NumberedText;
  readonly #streams = new Map<string, Stream>();
  readonly #report: Omit<NumberedReport, "streams" | "lines"> = {
    lost: 0,
    unflagged: 0,
    doubled: 0,
    reordered: 0,
    damaged: [],
    rests: 0,
    gaps: [],
    untrueGaps: [],
    holes: [],
    truncated: [],
  };

  /** @param expected - lines of each stream */
  constructor(expected: number, text: NumberedText = paddedLine) {
    this.#expected = expected;
    this.#text = text;
  }

  line(json: string): void {
    const { role, pod, seq, line, gap, truncated } = JSON.parse(json) as Entry;
    if (role !== "runner") return;
    const stream = this.#stream(pod);
    if (gap !== undefined) this.#gap(stream, { pod, seq, ...pick(gap), before: 0, lost: 0 });
    else if (truncated !== undefined) this.#report.truncated.push(`${pod}: ${truncated}`);
    else this.#line(stream, seq, line ?? "");
  }

  result(): NumberedReport {
    let lines = 0;
    for (const stream of this.#streams.values()) {
      this.#behind(stream, this.#expected);
      lines += stream.lines;
    }
    return { streams: this.#streams.size, lines, ...this.#report };
  }

  #stream(pod: string): Stream {
    let stream = this.#streams.get(pod);
    if (stream === undefined) {
      const seen = new Uint8Array(Math.ceil(this.#expected / 8));
      stream = { pod, last: -1, seq: 0, lines: 0, seen, gap: null, rest: null };
      this.#streams.set(pod, stream);
    }
    return stream;
  }

  #gap(stream: Stream, gap: GapMark): void {
    if (stream.gap !== null) this.#damage(stream, "two gaps at one place");
    stream.gap = gap;
    this.#report.gaps.push(gap);
  }

  #line(stream: Stream, seq: number, line: string): void {
    const { pod } = stream;
    if (seq !== stream.seq) this.#damage(stream, `seq ${seq} follows ${stream.seq - 1}`);
    stream.seq = seq + 1;
    stream.lines += 1;
    const n = this.#numberOf(pod, line);
    if (n === null && stream.gap !== null && stream.rest === null) stream.rest = line;
    else if (n === null) this.#damage(stream, line);
    else if (isSeen(stream, n)) this.#report.doubled += 1;
    else if (n < stream.last) this.#report.reordered += 1;
    else this.#behind(stream, n);
    if (n === null) return;
    stream.seen[n >> 3]! |= 1 << (n & 7);
    stream.last = Math.max(stream.last, n);
  }

  /** @returns null for what is not exactly a line that the pod has written */
  #numberOf(pod: string, line: string): number | null {
    const [, name, number] = /^stream=(\S+) n=(\d+) /.exec(line) ?? [];
    const n = Number(number);
    return name === pod && n < this.#expected && line === this.#text(pod, n) ? n : null;
  }

  /** Judges what is between the last line and line `n`. */
  #behind(stream: Stream, n: number): void {
    const { pod, gap, rest, last } = stream;
    const lost = n - last - 1;
    stream.gap = null;
    stream.rest = null;
    if (gap !== null) Object.assign(gap, { before: n, lost });
    if (rest !== null && n > 0 && this.#text(pod, n - 1).endsWith(rest)) this.#report.rests += 1;
    else if (rest !== null) this.#damage(stream, rest);
    if (gap?.certain === true && lost === 0) this.#report.untrueGaps.push(gap);
    if (lost === 0) return;
    this.#report.lost += lost;
    if (gap === null) this.#report.unflagged += lost;
    this.#report.holes.push({ pod, from: last + 1, until: n, gap });
  }

  #damage(stream: Stream, what: string): void {
    this.#report.damaged.push(`${stream.pod} behind line ${stream.last}: ${what.slice(0, 200)}`);
  }
}

function isSeen({ seen }: Stream, n: number): boolean {
  return (seen[n >> 3]! & (1 << (n & 7))) !== 0;
}

function pick({ reason, certain }: { reason: string; certain: boolean }): Pick<GapMark, "reason" | "certain"> {
  return { reason, certain };
}

/** Downloads a run's lines and checks them. @throws Error where a line is none that was written */
export async function checkNumbered(
  serverUrl: string,
  runId: string,
  expected: number,
  text: NumberedText = paddedLine,
): Promise<NumberedReport> {
  const check = new NumberedCheck(expected, text);
  await eachEntry(serverUrl, runId, (line) => check.line(line));
  const report = check.result();
  if (report.damaged.length > 0) throw new Error(report.damaged.slice(0, 3).join("\n"));
  return report;
}

/** Downloads a run's lines as NDJSON. @throws Error where the server refuses, or the download ends inside a line */
export async function eachEntry(serverUrl: string, runId: string, take: (line: string) => void): Promise<void> {
  const url = `${serverUrl}/api/dashboard/load-testing/teams/demo/test-runs/${runId}/logs/full?format=ndjson`;
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url}: ${response.status} ${await response.text()}`);
  const decoder = new TextDecoder();
  let rest = "";
  for await (const bytes of response.body!) {
    const lines = (rest + decoder.decode(bytes, { stream: true })).split("\n");
    rest = lines.pop()!;
    for (const line of lines) take(line);
  }
  if (rest !== "") throw new Error("the download ends inside a line");
}
