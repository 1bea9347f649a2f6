import type { IsoTime, K6Resources, ScenarioRecord } from "@tailrace/core";

/** A scenario as lists show it. */
export interface ScenarioSummary {
  id: string;
  teamId: string;
  name: string;
  createdAt: IsoTime;
  updatedAt: IsoTime;
}

/** A scenario as the API shows it. Values of environment variables may be secrets and are never shown. */
export interface Scenario extends ScenarioSummary {
  script: string;
  parallelism: number;
  arguments: string[];
  /** The names of the environment variables, sorted. */
  envNames: string[];
  /** Null: the installation's. */
  resources: K6Resources | null;
  /** Null: the installation's. */
  image: string | null;
}

export function viewScenario({ config, ...record }: ScenarioRecord): Scenario {
  return {
    id: record.id,
    teamId: record.teamId,
    name: record.name,
    script: config.script,
    parallelism: config.parallelism ?? 1,
    arguments: config.arguments ?? [],
    envNames: Object.keys(config.env ?? {}).toSorted(),
    resources: config.resources ?? null,
    image: config.image ?? null,
    createdAt: record.createdAt,
    updatedAt: record.updatedAt,
  };
}
