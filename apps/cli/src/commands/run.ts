import { randomUUID } from "node:crypto";
import { type Run, isTailraceError } from "@tailrace/client";
import { type CommonOptions, type Context, type Io, createContext, printJson } from "../context.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { followRun } from "../follow/follow.ts";
import { countInterrupts } from "../follow/interrupts.ts";
import { exitCodeOf, renderOutcome } from "../follow/outcome.ts";
import { count } from "../follow/progress.ts";
import { type ScenarioFile, readScenarioFile } from "../scenario-file.ts";

export interface RunOptions extends CommonOptions {
  parallelism?: number;
  comment?: string;
  env?: Record<string, string>;
  /** In milliseconds. */
  timeout?: number;
  all?: boolean;
  detach?: boolean;
}

/** Starts a run of a script or a scenario and follows it to its end. */
export async function runCommand(io: Io, target: string, options: RunOptions): Promise<ExitCode> {
  const context = createContext(io, options);
  const file = await readScenarioFile(target, io.cwd);
  using interrupts = countInterrupts((listener) => io.onInterrupt(listener));
  const scenarioId = file === null ? target : await saveScenario(context, file, interrupts.stop);
  if (interrupts.stop.aborted) return EXIT.interrupted;
  const run = await startRun(context, scenarioId, options, interrupts.detach);
  const { screen, styles, client, team: teamId, url } = context;
  screen.note(introduction(run, context));
  if (options.detach === true) {
    if (options.json === true) printJson(io, run);
    else screen.line(run.id);
    return EXIT.ok;
  }
  using _ = screen;
  const input = { teamId, runId: run.id };
  const server = {
    get: (signal: AbortSignal) => client.runs.get.query(input, { signal }),
    stop: (signal: AbortSignal) => client.runs.stop.mutate(input, { signal }),
  };
  const timeoutMs = options.timeout ?? null;
  const wholeReport = options.all === true;
  const outcome = await followRun(run, server, { screen, styles, interrupts, timeoutMs, wholeReport });
  screen[Symbol.dispose]();
  screen.note(...renderOutcome(outcome, count(outcome.lines), url, styles.note));
  if (options.json === true) printJson(io, outcome.run);
  return exitCodeOf(outcome);
}

/** Creates the scenario of a file, or gives the one that exists the file's script. */
async function saveScenario(
  { client, team: teamId }: Context,
  file: ScenarioFile,
  signal: AbortSignal,
): Promise<string> {
  const { id, name, script } = file;
  try {
    await client.scenarios.update.mutate({ teamId, scenarioId: id, name, script }, { signal });
  } catch (error) {
    if (!isTailraceError(error, "NOT_FOUND")) throw error;
    await client.scenarios.create.mutate({ teamId, id, name, script }, { signal });
  }
  return id;
}

async function startRun(
  { client, team: teamId }: Context,
  scenarioId: string,
  { comment, parallelism, env }: RunOptions,
  signal: AbortSignal,
): Promise<Run> {
  return await client.runs.create.mutate(
    {
      teamId,
      scenarioId,
      // A repeated request, by a proxy for example, must not start a second run.
      idempotencyKey: randomUUID(),
      ...(comment === undefined ? {} : { comment }),
      ...(parallelism === undefined ? {} : { parallelism }),
      ...(env === undefined ? {} : { env }),
    },
    { signal },
  );
}

function introduction(run: Run, { styles: { note }, url }: Context): string {
  const runners = `${run.parallelism} runner${run.parallelism === 1 ? "" : "s"}`;
  return `${note.bold(run.scenarioId)}  run ${note.bold(run.id)}  ${runners}  ${note.dim(`team ${run.teamId} at ${url}`)}`;
}
