import { spawn } from "node:child_process";
import { once } from "node:events";
import { readUse, type ProcessUse } from "./processes.ts";
import { LagSamples } from "./statistics.ts";

/** A program that follows logs and prints each line behind its time, which may be anywhere in the first bytes. */
export interface Follower extends AsyncDisposable {
  pid: number;
  /** Lines so far. */
  readonly lines: number;
  /** Of every so many-th line: from its time to the moment when it was printed. */
  readonly samples: LagSamples;
  use(): Promise<ProcessUse | null>;
}

/** A line's time is within so many bytes of its beginning. */
const HEAD_BYTES = 200;
const TIME = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z/;

/** @param every - how many lines have their time read once, so that the reading itself takes no time from anybody */
export function startFollower(file: string, args: readonly string[], every: number, signal: AbortSignal): Follower {
  const child = spawn(file, args, { stdio: ["ignore", "pipe", "ignore"], signal });
  // Whoever waits for lines finds that there are none.
  child.on("error", () => undefined);
  const exited = once(child, "close").catch(() => undefined);
  const samples = new LagSamples();
  let lines = 0;
  let rest: Buffer = Buffer.alloc(0);
  child.stdout.on("data", (piece: Buffer) => {
    const bytes = rest.length === 0 ? piece : Buffer.concat([rest, piece]);
    const now = Date.now();
    let start = 0;
    for (let end = bytes.indexOf(10); end !== -1; end = bytes.indexOf(10, start)) {
      if (lines % every === 0)
        addSample(samples, bytes.toString("latin1", start, Math.min(end, start + HEAD_BYTES)), now);
      lines += 1;
      start = end + 1;
    }
    rest = bytes.subarray(start);
  });
  return {
    pid: child.pid!,
    get lines() {
      return lines;
    },
    samples,
    use: () => readUse(child.pid!),
    async [Symbol.asyncDispose]() {
      if (child.exitCode === null && child.signalCode === null) child.kill("SIGKILL");
      await exited;
    },
  };
}

function addSample(samples: LagSamples, head: string, now: number): void {
  const [text] = TIME.exec(head) ?? [];
  if (text === undefined) return;
  const time = Date.parse(text);
  samples.add(time, now - time);
}
