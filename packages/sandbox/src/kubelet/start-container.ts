import { join } from "node:path";
import type { Container, Pod } from "../store/kinds.ts";
import type { Children, Command } from "./children.ts";
import { expand } from "./environment.ts";
import type { PodFileSystem } from "./file-system.ts";
import { servesRest, startK6 } from "./k6-process.ts";
import type { ContainerProcess, Output } from "./process.ts";
import { startProgram, type Program } from "./program.ts";
import { isStarter, startStarter, type Reach } from "./starter.ts";

export interface ContainerStart {
  pod: Pod;
  /** The container of the pod's spec. */
  spec: Container;
  env: Record<string, string>;
  files: PodFileSystem;
  output: Output;
  /** Runs in place of everything else. */
  program: Program | undefined;
}

export type StartContainer = (start: ContainerStart) => Promise<ContainerProcess>;

/** Stands for k6 where there is none; undefined for a container that is not k6's. */
export type Replay = (start: ContainerStart, argv: readonly string[]) => Promise<ContainerProcess> | undefined;

export interface StarterDependencies {
  children: Children;
  reach: Reach;
  /** Undefined where k6 is installed. */
  replay: Replay | undefined;
  /** The children's PATH. */
  path: string;
}

/** Starts containers as processes of this machine; images do not matter. */
export function containerStarter({ children, reach, replay, path }: StarterDependencies): StartContainer {
  return async (start) => {
    const { spec, env, files, output, pod, program } = start;
    const argv = [...(spec.command ?? []), ...(spec.args ?? [])].map((token: string) => expand(token, env));
    if (program !== undefined) return startProgram(program, start, argv);
    if (isStarter(argv)) return startStarter(argv, reach, output);
    const replayed = replay?.(start, argv);
    if (replayed !== undefined) return await replayed;
    const command: Command = {
      argv: (argv.length === 0 ? ["sh", "-c", "exit 0"] : localArguments(argv, files)) as [string, ...string[]],
      env: {
        PATH: path,
        HOME: join(files.root, "home"),
        TMPDIR: join(files.root, "tmp"),
        HOSTNAME: pod.spec.hostname ?? pod.metadata.name,
        ...env,
      },
      cwd: join(files.root, "home"),
    };
    return servesRest(argv) ? await startK6(children, command, output) : children.start(command, output);
  };
}

/** Paths of the pod become paths of this machine: whole arguments, and the words of a shell's command. */
function localArguments(argv: string[], files: PodFileSystem): string[] {
  const isShell = argv[0] === "sh" || argv[0] === "/bin/sh";
  return argv.map((token, at) =>
    isShell && at === 2 && argv[1] === "-c" ? files.resolveWords(token) : files.resolve(token),
  );
}
