import type { ContainerProcess, Exit, Output } from "../kubelet/process.ts";
import { LABEL, logLine } from "./lines.ts";
import { formatDuration, type ReplayPlan } from "./plan.ts";
import type { SyntaxCheck } from "./syntax.ts";

export interface ReplayInitializer {
  /** The script on this machine, null when its volume does not have it. */
  file: string | null;
  /** The script's path in the pod. */
  path: string;
  plan: ReplayPlan;
  /** Of a run whose script does not say it plainly. */
  defaultDuration: number;
  /** maxVUs where the script does not say it plainly. */
  defaultVUs: number;
  checkSyntax: SyntaxCheck;
}

const GRACEFUL_STOP_MS = 30_000;

/**
 * The initializer without k6: the report that `k6 inspect --execution-requirements` would give, its options left null. A
 * script that is not there, or that Node can't parse, fails as the real one does. What a script throws when it is run, and
 * what is wrong with its options, stays unseen.
 */
export function startReplayInitializer(request: ReplayInitializer, output: Output): ContainerProcess {
  const run = async (): Promise<Exit> => {
    const problem = request.file === null ? missing(request.path) : await syntaxError(request.file, request);
    if (problem !== null) output.write("stdout", Buffer.from(logLine(undefined, "error", `${LABEL}; ${problem}`)));
    else output.write("stdout", Buffer.from(report(request)));
    output.endStream("stdout");
    return { exitCode: problem === null ? 0 : 1 };
  };
  return { ended: run(), terminate: () => {}, kill: () => {} };
}

async function syntaxError(file: string, { path, checkSyntax }: ReplayInitializer): Promise<string | null> {
  const message = await checkSyntax(file);
  return message === null ? null : `SyntaxError: file://${path}: ${message}`;
}

function missing(path: string): string {
  return `The moduleSpecifier "${path}" couldn't be found on local disk. Make sure that you've specified the right path to the file.`;
}

/** No newline at its end, as k6's. */
function report({ plan, defaultDuration, defaultVUs }: ReplayInitializer): string {
  const duration = plan.duration ?? defaultDuration;
  const nothing = {
    paused: null,
    vus: null,
    duration: null,
    iterations: null,
    stages: null,
    scenarios: {},
    thresholds: {},
    tags: null,
  };
  const total = formatDuration(duration + GRACEFUL_STOP_MS);
  return JSON.stringify(
    { sandbox: LABEL, ...nothing, totalDuration: total, maxVUs: plan.maxVUs ?? defaultVUs },
    null,
    2,
  );
}
