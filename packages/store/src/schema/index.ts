export { clusterCleanups } from "./cluster-cleanups.ts";
export { scenarios } from "./scenarios.ts";
export { teams, teamTokens } from "./teams.ts";
export { idempotencyKeys, testRuns } from "./test-runs.ts";
export { testRunSteps } from "./test-run-steps.ts";
