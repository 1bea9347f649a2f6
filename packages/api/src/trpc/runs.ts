import { runsCreate, runsGet, runsList, runsProgress } from "../schemas/runs.ts";
import { createRun } from "../verbs/runs/create.ts";
import { deleteRun } from "../verbs/runs/delete.ts";
import { getRun } from "../verbs/runs/get.ts";
import { listRuns } from "../verbs/runs/list.ts";
import { awaitProgress } from "../verbs/runs/progress.ts";
import { stopRun } from "../verbs/runs/stop.ts";
import { procedure, router } from "./root.ts";

export const runsRouter = router({
  create: procedure
    .meta({ rest: { method: "POST", path: "/:teamId/test-runs", status: 201, idempotent: true } })
    .input(runsCreate)
    .mutation(createRun),
  get: procedure
    .meta({ rest: { method: "GET", path: "/:teamId/test-runs/:runId", status: 200 } })
    .input(runsGet)
    .query(getRun),
  progress: procedure
    .meta({ rest: { method: "GET", path: "/:teamId/test-runs/:runId/progress", status: 200 } })
    .input(runsProgress)
    .query(awaitProgress),
  list: procedure
    .meta({ rest: { method: "GET", path: "/:teamId/test-runs", status: 200 } })
    .input(runsList)
    .query(listRuns),
  stop: procedure
    .meta({ rest: { method: "POST", path: "/:teamId/test-runs/:runId/stop", status: 200 } })
    .input(runsGet)
    .mutation(stopRun),
  delete: procedure
    .meta({ rest: { method: "DELETE", path: "/:teamId/test-runs/:runId", status: 204 } })
    .input(runsGet)
    .mutation(deleteRun),
});
