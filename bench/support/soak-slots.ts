import type { ServerProcess } from "../../e2e/support/server.ts";
import type { BenchPostgres } from "./postgres.ts";

/** Where runs are started, and where it shows that they have ended. */
export interface SoakStage {
  server: Pick<ServerProcess, "client">;
  postgres: Pick<BenchPostgres, "query">;
}

const RUNNERS = 10;

/** Runs that are started in one look: a cluster's controllers make pods one after the other. */
const STARTS = 5;

const SCRIPT = `export const options = { scenarios: { s: { executor: 'constant-vus', vus: 10, duration: '24h' } } };
export default function () {}
`;

/** Places that always have a run, of up to 10 runners each. */
export class SoakSlots {
  readonly #stage: SoakStage;
  readonly #streams: number;
  readonly #runs: (string | null)[];

  /** @param streams - of runners, in all */
  constructor(stage: SoakStage, streams: number) {
    this.#stage = stage;
    this.#streams = streams;
    this.#runs = Array.from({ length: Math.ceil(streams / RUNNERS) }, () => null);
  }

  /** Makes the scenarios. */
  async prepare(): Promise<void> {
    for (const slot of this.#runs.keys()) {
      const id = scenarioOf(slot);
      await this.#stage.server.client.scenarios.create.mutate({ teamId: "demo", id, name: id, script: SCRIPT });
    }
  }

  /** The runs that have not ended. */
  async active(): Promise<Set<string>> {
    const rows = await this.#stage.postgres.query<{ run_id: string }>(
      "select run_id from test_run_steps where status in ('pending', 'running', 'stopping')",
    );
    return new Set(rows.map(({ run_id }) => run_id));
  }

  /** Starts a run in some of the places whose run has ended. */
  async fill(): Promise<void> {
    const active = await this.active();
    const free = Array.from(this.#runs.entries()).filter(([, run]) => run === null || !active.has(run));
    for (const [slot] of free.slice(0, STARTS)) {
      const run = await this.#stage.server.client.runs.create.mutate({
        teamId: "demo",
        scenarioId: scenarioOf(slot),
        parallelism: Math.min(RUNNERS, this.#streams - slot * RUNNERS),
      });
      this.#runs[slot] = run.id;
    }
  }
}

function scenarioOf(slot: number): string {
  return `soak-${slot}`;
}
