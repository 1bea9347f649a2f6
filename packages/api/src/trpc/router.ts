import type { inferRouterInputs, inferRouterOutputs } from "@trpc/server";
import { logsRouter } from "./logs.ts";
import { router } from "./root.ts";
import { runsRouter } from "./runs.ts";
import { scenariosRouter } from "./scenarios.ts";
import { teamsRouter } from "./teams.ts";

/** Every procedure of the API; the REST routes are made from the same ones. */
export const appRouter = router({
  teams: teamsRouter,
  scenarios: scenariosRouter,
  runs: runsRouter,
  logs: logsRouter,
});

export type AppRouter = typeof appRouter;
export type RouterInputs = inferRouterInputs<AppRouter>;
export type RouterOutputs = inferRouterOutputs<AppRouter>;
