import type { Role } from "@tailrace/core";

export interface Ids {
  teamId: string;
  scenarioId: string;
  runId: string;
  tokenId: string;
}

export interface VerbCase {
  procedure: string;
  type: "query" | "mutation";
  /** Method and path below the teams' address; what is in braces is taken from the input. */
  rest: string;
  /** The status of success. */
  status: number;
  needs: Role | "installation";
  /** A valid input. */
  input: (ids: Ids) => Record<string, unknown>;
}

export const SCRIPT = "export default function () {}\n";

const team = ({ teamId }: Ids) => ({ teamId });
const scenario = ({ teamId, scenarioId }: Ids) => ({ teamId, scenarioId });
const run = ({ teamId, runId }: Ids) => ({ teamId, runId });

/** Every procedure of the API, as its callers see it; the tests check that none is missing here. */
export const verbs: VerbCase[] = [
  {
    procedure: "teams.create",
    type: "mutation",
    rest: "POST ",
    status: 201,
    needs: "installation",
    input: () => ({ name: "New" }),
  },
  { procedure: "teams.get", type: "query", rest: "GET /{teamId}", status: 200, needs: "viewer", input: team },
  { procedure: "teams.list", type: "query", rest: "GET ", status: 200, needs: "viewer", input: () => ({}) },
  {
    procedure: "teams.update",
    type: "mutation",
    rest: "PATCH /{teamId}",
    status: 200,
    needs: "admin",
    input: (ids) => ({ ...team(ids), logRetentionDays: 30 }),
  },
  {
    procedure: "teams.createToken",
    type: "mutation",
    rest: "POST /{teamId}/tokens",
    status: 201,
    needs: "admin",
    input: (ids) => ({ ...team(ids), role: "viewer", name: "ci" }),
  },
  {
    procedure: "teams.listTokens",
    type: "query",
    rest: "GET /{teamId}/tokens",
    status: 200,
    needs: "admin",
    input: team,
  },
  {
    procedure: "teams.deleteToken",
    type: "mutation",
    rest: "DELETE /{teamId}/tokens/{tokenId}",
    status: 204,
    needs: "admin",
    input: ({ teamId, tokenId }) => ({ teamId, tokenId }),
  },
  {
    procedure: "scenarios.create",
    type: "mutation",
    rest: "POST /{teamId}/scenarios",
    status: 201,
    needs: "runner",
    input: (ids) => ({ ...team(ids), name: "Checkout", script: SCRIPT }),
  },
  {
    procedure: "scenarios.get",
    type: "query",
    rest: "GET /{teamId}/scenarios/{scenarioId}",
    status: 200,
    needs: "viewer",
    input: scenario,
  },
  {
    procedure: "scenarios.list",
    type: "query",
    rest: "GET /{teamId}/scenarios",
    status: 200,
    needs: "viewer",
    input: team,
  },
  {
    procedure: "scenarios.update",
    type: "mutation",
    rest: "PATCH /{teamId}/scenarios/{scenarioId}",
    status: 200,
    needs: "runner",
    input: (ids) => ({ ...scenario(ids), name: "Renamed" }),
  },
  {
    procedure: "scenarios.delete",
    type: "mutation",
    rest: "DELETE /{teamId}/scenarios/{scenarioId}",
    status: 204,
    needs: "admin",
    input: scenario,
  },
  {
    procedure: "runs.create",
    type: "mutation",
    rest: "POST /{teamId}/test-runs",
    status: 201,
    needs: "runner",
    input: scenario,
  },
  {
    procedure: "runs.get",
    type: "query",
    rest: "GET /{teamId}/test-runs/{runId}",
    status: 200,
    needs: "viewer",
    input: run,
  },
  {
    procedure: "runs.progress",
    type: "query",
    rest: "GET /{teamId}/test-runs/{runId}/progress",
    status: 200,
    needs: "viewer",
    input: run,
  },
  { procedure: "runs.list", type: "query", rest: "GET /{teamId}/test-runs", status: 200, needs: "viewer", input: team },
  {
    procedure: "runs.stop",
    type: "mutation",
    rest: "POST /{teamId}/test-runs/{runId}/stop",
    status: 200,
    needs: "runner",
    input: run,
  },
  {
    procedure: "runs.delete",
    type: "mutation",
    rest: "DELETE /{teamId}/test-runs/{runId}",
    status: 204,
    needs: "admin",
    input: run,
  },
  {
    procedure: "logs.snapshot",
    type: "query",
    rest: "GET /{teamId}/test-runs/{runId}/logs",
    status: 200,
    needs: "viewer",
    input: run,
  },
  {
    procedure: "logs.streams",
    type: "query",
    rest: "GET /{teamId}/test-runs/{runId}/logs/streams",
    status: 200,
    needs: "viewer",
    input: run,
  },
  {
    procedure: "logs.page",
    type: "query",
    rest: "GET /{teamId}/test-runs/{runId}/logs/page",
    status: 200,
    needs: "viewer",
    input: (ids) => ({ ...run(ids), roles: ["runner", "init"], runners: [1], ignoreCase: true, limit: 1 }),
  },
  {
    procedure: "logs.search",
    type: "query",
    rest: "GET /{teamId}/test-runs/{runId}/logs/search",
    status: 200,
    needs: "viewer",
    input: (ids) => ({ ...run(ids), include: ["a"], bucket: "1s" }),
  },
];
