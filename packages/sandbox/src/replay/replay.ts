import { readFile } from "node:fs/promises";
import type { ContainerStart, Replay } from "../kubelet/start-container.ts";
import type { ContainerProcess } from "../kubelet/process.ts";
import { startReplayInitializer } from "./initializer.ts";
import { formatDuration, planReplay, segmentShare, type ReplayPlan } from "./plan.ts";
import { startReplayRunner } from "./runner.ts";
import { createSyntaxCheck, type SyntaxCheck } from "./syntax.ts";

/** Of a run whose script does not say it plainly, in milliseconds. */
const DEFAULT_DURATION_MS = 8000;
/** A longer run is cut, and says so. */
const LONGEST_MS = 15_000;
const UNKNOWN_VUS = 10;

/**
 * Stands for k6 where it is not installed: initializer and runners replay a recorded run with this run's own name, index,
 * VUs and duration.
 *
 * What it can't do: run the script. Its requests are not made, its own log lines and metrics do not appear, thresholds
 * always hold, an exception is seen only when it is one of syntax, options are read by looking for plain numbers and
 * durations. A run is at most 15 s long.
 *
 * @param speed - divides all waiting
 */
export function createReplay(speed: number): Replay {
  const checkSyntax = createSyntaxCheck();
  return (start, argv) => {
    if (argv[0] === "k6" && argv[1] === "run") return replayRunner(start, argv, speed);
    const archive = argv[0] === "sh" ? /^if ! k6 archive (\S+)(.*)$/m.exec(argv[2] ?? "") : null;
    return archive === null ? undefined : replayInitializer(start, archive[1]!, archive[2]!, checkSyntax);
  };
}

async function replayRunner(
  { env, files, output }: ContainerStart,
  argv: readonly string[],
  speed: number,
): Promise<ContainerProcess> {
  const path = argv.find((token) => /\.(js|ts|mjs|tar)$/.test(token) && !token.startsWith("-")) ?? "";
  const { plan } = await read(files.resolve(path), argv, env);
  const tag = (name: string): string =>
    argv.find((token) => token.startsWith(`${name}=`))?.slice(name.length + 1) ?? "";
  const index = Number(tag("instance_id"));
  const runners = (argv.find((token) => token.startsWith("--execution-segment-sequence="))?.split(",").length ?? 2) - 1;
  const asked = plan.duration ?? DEFAULT_DURATION_MS;
  const duration = Math.min(asked, LONGEST_MS);
  const run = {
    duration,
    vus: Math.max(1, segmentShare(plan.maxVUs ?? runners, index, runners)),
    iterations: plan.iterations === undefined ? undefined : segmentShare(plan.iterations, index, runners),
    note: asked > duration ? `, ${formatDuration(asked)} shortened to ${formatDuration(duration)}` : "",
    name: tag("testrun_name"),
    index,
    paused: argv.includes("--paused"),
    env,
    speed,
  };
  return startReplayRunner(run, output);
}

async function replayInitializer(
  { env, files, output }: ContainerStart,
  path: string,
  rest: string,
  checkSyntax: SyntaxCheck,
): Promise<ContainerProcess> {
  const file = files.resolve(path);
  const { plan, found } = await read(file, rest.split(/\s+/), env);
  return startReplayInitializer(
    {
      file: found ? file : null,
      path,
      plan,
      defaultDuration: DEFAULT_DURATION_MS,
      defaultVUs: UNKNOWN_VUS,
      checkSyntax,
    },
    output,
  );
}

async function read(
  file: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<{ plan: ReplayPlan; found: boolean }> {
  try {
    return { plan: planReplay(await readFile(file, "utf8"), args, env), found: true };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    return { plan: planReplay("", args, env), found: false };
  }
}
