import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import serverProcess from "../../scripts/server-process.json" with { type: "json" };

/** A program of ours in a process of its own; the two send each other messages. */
export interface BenchChild<Answer> extends AsyncDisposable {
  pid: number;
  send(message: object): void;
  /** The next message. Rejects when the process ends, or the signal aborts. */
  receive(): Promise<Answer>;
  /** Waits until it has ended by itself. */
  ended(): Promise<void>;
}

export interface ChildOptions {
  /** The file's name beside this one. */
  file: string;
  request: object;
  /** Where it writes a profile of its CPU use when it ends. */
  profileDirectory?: string | null;
  signal: AbortSignal;
}

export function startChild<Answer>(options: ChildOptions): BenchChild<Answer> {
  const { file, request, profileDirectory = null, signal } = options;
  const profile = profileDirectory === null ? [] : ["--cpu-prof", `--cpu-prof-dir=${profileDirectory}`];
  const child = fork(fileURLToPath(new URL(file, import.meta.url)), [JSON.stringify(request)], {
    execArgv: [...serverProcess.arguments, ...profile],
    env: { ...process.env, ...serverProcess.env },
    stdio: ["ignore", "inherit", "inherit", "ipc"],
    signal,
  });
  // Whoever waits hears of it; nobody may.
  child.on("error", () => undefined);
  const queue: Answer[] = [];
  child.on("message", (message) => queue.push(message as Answer));
  const exited = once(child, "exit") as Promise<[number | null, string | null]>;
  exited.catch(() => undefined);
  return {
    pid: child.pid!,
    send: (message) => void child.send(message),
    async receive() {
      if (queue.length === 0) await nextMessage(child, file, signal);
      return queue.shift()!;
    },
    async ended() {
      const [code, by] = await exited;
      signal.throwIfAborted();
      if (code !== 0) throw new Error(`${file} ended with ${by ?? code}`);
    },
    async [Symbol.asyncDispose]() {
      if (child.exitCode === null && child.signalCode === null) {
        child.kill("SIGKILL");
        await exited.catch(() => undefined);
      }
    },
  };
}

async function nextMessage(child: ChildProcess, file: string, signal: AbortSignal): Promise<void> {
  const done = new AbortController();
  const gone = (): Error => {
    signal.throwIfAborted();
    return new Error(`${file} ended before it had answered`);
  };
  if (!child.connected) throw gone();
  try {
    await Promise.race([
      once(child, "message", { signal: done.signal }),
      // It comes behind the last message, which the process's end may not.
      once(child, "disconnect", { signal: done.signal }).then(() => {
        throw gone();
      }),
    ]);
  } finally {
    done.abort();
  }
}
