import type { Clock } from "../logs/clock.ts";
import { servesRest } from "./k6-process.ts";
import type { ContainerProcess, Exit, Output } from "./process.ts";
import { answerStatus } from "./status-api.ts";

/** Which container a program is asked about. */
export interface ProgramPod {
  metadata: { name: string; namespace: string; uid: string; labels?: Record<string, string> };
}

export interface ProgramContext {
  pod: ProgramPod;
  container: string;
  /** Aborts when the container is asked to end: SIGTERM, or a stop through k6's REST API. SIGKILL ends it without asking. */
  terminated: AbortSignal;
  /** Resolves when a k6 that was started with `--paused` is resumed; in any other container it is resolved. */
  resumed: Promise<void>;
}

/**
 * Runs in the sandbox's own process in place of a container's, so that a test decides each byte of its output. Where it
 * stands for a runner, k6's REST API is answered for it.
 */
export interface Program {
  matches(pod: ProgramPod, container: string): boolean;
  /**
   * Resolves with the container's exit code. A rejection ends it with 143 after it was asked to end, else with 1 and the
   * error's message on stderr.
   */
  run(output: Output, context: ProgramContext): Promise<number>;
  /** The time of each record. (Default: this machine's) */
  clock?: Clock;
}

/** @param argv - the container's own command, which does not run */
export function startProgram(
  program: Program,
  { pod, spec, output }: { pod: ProgramPod; spec: { name: string }; output: Output },
  argv: readonly string[],
): ContainerProcess {
  const terminated = new AbortController();
  const killed = Promise.withResolvers<Exit>();
  const resumed = Promise.withResolvers<void>();
  const status = { status: 7, paused: argv.includes("--paused"), vus: 1, "vus-max": 1, stopped: false, running: true };
  if (!status.paused) resumed.resolve();
  const context: ProgramContext = {
    pod,
    container: spec.name,
    terminated: terminated.signal,
    resumed: resumed.promise,
  };
  const run = async (): Promise<Exit> => {
    try {
      return { exitCode: await program.run(output, context) };
    } catch (error) {
      if (terminated.signal.aborted) return { exitCode: 143 };
      output.write("stderr", Buffer.from(`${error instanceof Error ? error.message : String(error)}\n`));
      return { exitCode: 1 };
    }
  };
  let ended = false;
  return {
    ended: Promise.race([run(), killed.promise]).finally(() => (ended = true)),
    terminate: () => terminated.abort(),
    kill: () => {
      terminated.abort();
      killed.resolve({ exitCode: 137 });
    },
    ...(servesRest(argv)
      ? {
          request: async (request) => {
            if (ended) throw new Error("connect: connection refused");
            return answerStatus(
              request,
              status,
              () => resumed.resolve(),
              () => terminated.abort(),
            );
          },
        }
      : {}),
  };
}
