import { isEnded } from "@tailrace/client";
import { type CommonOptions, type Io, createContext, printJson } from "../context.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";

/** Asks for a run's end and does not wait for it. */
export async function stopCommand(io: Io, runId: string, options: CommonOptions): Promise<ExitCode> {
  const { client, team: teamId, screen } = createContext(io, options);
  const run = await client.runs.stop.mutate({ teamId, runId });
  if (options.json === true) printJson(io, run);
  else screen.note(isEnded(run.status) ? `run ${run.id} has ended before: ${run.status}` : `run ${run.id} is stopping`);
  return EXIT.ok;
}
