import type { Run, TailraceClient } from "@tailrace/client";
import { parseContainerLogs } from "@tailrace/client";
import { until } from "./until.ts";

/** What a test starts: a script of its own as a scenario of team demo, and a run of it. */
export interface RunInput {
  script: string;
  parallelism?: number;
  image?: string;
  arguments?: string[];
}

export async function startRun(client: TailraceClient, input: RunInput): Promise<Run> {
  const { parallelism, ...scenario } = input;
  const { id } = await client.scenarios.create.mutate({ teamId: "demo", name: "e2e", ...scenario });
  return client.runs.create.mutate({
    teamId: "demo",
    scenarioId: id,
    ...(parallelism === undefined ? {} : { parallelism }),
  });
}

/** Waits until a run meets a condition; what the server can't answer meanwhile is asked again. */
export async function untilRun(
  client: () => TailraceClient,
  run: Run,
  what: string,
  met: (run: Run) => boolean,
  timeoutMs = 120_000,
): Promise<Run> {
  let last = run;
  try {
    return await until(
      what,
      async () => {
        const found = await client()
          .runs.get.query({ teamId: "demo", runId: run.id })
          .catch(() => null);
        if (found !== null) last = found;
        return found !== null && met(found) ? found : null;
      },
      timeoutMs,
    );
  } catch (error) {
    throw new Error(
      `${(error as Error).message}; last: ${JSON.stringify({ ...last, steps: last.steps.map((step) => ({ ...step, containerLogs: step.containerLogs?.slice(-500) })) })}`,
      { cause: error },
    );
  }
}

export function ended(run: Run): boolean {
  return run.status === "finished" || run.status === "error";
}

export function atStage(stage: string): (run: Run) => boolean {
  return (run) => run.steps[0]?.stage === stage;
}

/** The sections of the first step's snapshot by role: `initializer`, `starter`, `1`, `2`, …. */
export function sectionsByRole(run: Run): Map<string, { state: string; lines: string[] }> {
  const [step] = run.steps;
  const prefix = `${step!.name}-`;
  return new Map(
    parseContainerLogs(step!.containerLogs ?? "").map(({ pod, state, lines }) => [
      pod.slice(prefix.length).replace(/-[a-z0-9]{5}$/, ""),
      { state, lines },
    ]),
  );
}
