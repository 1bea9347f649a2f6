import { spawn, type ChildProcess } from "node:child_process";
import { constants } from "node:os";
import { appendFileSync } from "node:fs";
import type { ContainerProcess, Exit, Output } from "./process.ts";

export interface Command {
  argv: readonly [string, ...string[]];
  env: Record<string, string>;
  cwd: string;
}

/**
 * Ends every group that is left when its standard input closes, which happens at the latest when the sandbox's process
 * dies, however it dies. A line `+N` adds group N, `-N` takes it off. One small shell for all children: k6 itself does not
 * notice the death of its parent, and `prctl(PR_SET_PDEATHSIG)` can't be reached from Node.
 */
const WATCHDOG = `
groups=" "
while read -r line; do
  number=\${line#?}
  case $line in
    +*) groups="$groups$number " ;;
    -*) groups="\${groups%% $number *} \${groups#* $number }" ;;
  esac
done
for group in $groups; do kill -TERM -$group 2>/dev/null; done
[ "$groups" = " " ] || sleep 2
for group in $groups; do kill -KILL -$group 2>/dev/null; done
exit 0
`;

/** The sandbox's child processes: each the leader of a group of its own, none of which outlives it. */
export class Children {
  readonly #ledger: string;
  readonly #running = new Map<number, { child: ChildProcess; ended: Promise<Exit> }>();
  #watchdog: ChildProcess | undefined;

  /** @param ledger - a file that names every child, for the next start to look at */
  constructor(ledger: string) {
    this.#ledger = ledger;
  }

  /** Starts a child; a command that can't be started ends with 127 and its reason on stderr, as a shell has it. */
  start(command: Command, output: Output): ContainerProcess {
    const [file, ...args] = command.argv;
    const child = spawn(file, args, {
      cwd: command.cwd,
      env: command.env,
      detached: true,
      stdio: ["ignore", "pipe", "pipe"],
    });
    const { pid } = child;
    child.stdout.on("data", (chunk: Buffer) => output.write("stdout", chunk));
    child.stderr.on("data", (chunk: Buffer) => output.write("stderr", chunk));
    child.stdout.on("end", () => output.endStream("stdout"));
    child.stderr.on("end", () => output.endStream("stderr"));
    const ended = new Promise<Exit>((resolve) => {
      child.on("error", (error) => {
        if (pid !== undefined) return;
        output.write("stderr", Buffer.from(`${error.message}\n`));
        resolve({ exitCode: 127 });
      });
      child.on("close", (code, signal) => {
        if (pid !== undefined) this.#forget(pid);
        resolve({ exitCode: code ?? 128 + (signal === null ? 0 : constants.signals[signal]) });
      });
      // A grandchild that keeps the pipes open must not keep the container alive.
      child.on("exit", () => {
        if (pid !== undefined) signalGroup(pid, "SIGKILL");
      });
    });
    if (pid !== undefined) this.#remember(pid, child, ended);
    return {
      ended,
      terminate: () => signalProcess(child, "SIGTERM"),
      kill: () => pid !== undefined && this.#running.has(pid) && signalGroup(pid, "SIGKILL"),
    };
  }

  /** SIGTERM to all, SIGKILL after `graceMs`; resolves when none is left. */
  async close(graceMs: number): Promise<void> {
    const all = Array.from(this.#running);
    for (const [pid] of all) signalGroup(pid, "SIGTERM");
    const timer = setTimeout(() => {
      for (const [pid] of all) if (this.#running.has(pid)) signalGroup(pid, "SIGKILL");
    }, graceMs);
    await Promise.all(all.map(([, { ended }]) => ended));
    clearTimeout(timer);
    const watchdog = this.#watchdog;
    if (watchdog === undefined) return;
    const gone = new Promise((resolve) => watchdog.once("exit", resolve));
    if (watchdog.exitCode !== null || watchdog.signalCode !== null) return;
    watchdog.ref();
    watchdog.stdin!.end();
    await gone;
  }

  #remember(pid: number, child: ChildProcess, ended: Promise<Exit>): void {
    this.#running.set(pid, { child, ended });
    appendFileSync(this.#ledger, `${pid}\n`);
    this.#tellWatchdog(`+${pid}`);
  }

  #forget(pid: number): void {
    this.#running.delete(pid);
    this.#tellWatchdog(`-${pid}`);
  }

  #tellWatchdog(line: string): void {
    if (this.#watchdog === undefined) {
      this.#watchdog = spawn("sh", ["-c", WATCHDOG, "tailrace-sandbox-watchdog"], {
        detached: true,
        stdio: ["pipe", "ignore", "ignore"],
      });
      this.#watchdog.unref();
      // A watchdog that is gone leaves the ledger.
      this.#watchdog.stdin!.on("error", () => {});
      this.#watchdog.on("error", () => {});
    }
    this.#watchdog.stdin!.write(`${line}\n`);
  }
}

function signalProcess(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.exitCode === null && child.signalCode === null) child.kill(signal);
}

/** A group that is already gone is no error. */
export function signalGroup(pid: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(-pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ESRCH") return false;
    throw error;
  }
}
