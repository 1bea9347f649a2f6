import {
  scenariosCreate,
  scenariosDelete,
  scenariosGet,
  scenariosList,
  scenariosUpdate,
} from "../schemas/scenarios.ts";
import { createScenario } from "../verbs/scenarios/create.ts";
import { deleteScenario } from "../verbs/scenarios/delete.ts";
import { getScenario } from "../verbs/scenarios/get.ts";
import { listScenarios } from "../verbs/scenarios/list.ts";
import { updateScenario } from "../verbs/scenarios/update.ts";
import { procedure, router } from "./root.ts";

export const scenariosRouter = router({
  create: procedure
    .meta({ rest: { method: "POST", path: "/:teamId/scenarios", status: 201 }, largeBody: true })
    .input(scenariosCreate)
    .mutation(createScenario),
  get: procedure
    .meta({ rest: { method: "GET", path: "/:teamId/scenarios/:scenarioId", status: 200 } })
    .input(scenariosGet)
    .query(getScenario),
  list: procedure
    .meta({ rest: { method: "GET", path: "/:teamId/scenarios", status: 200 } })
    .input(scenariosList)
    .query(listScenarios),
  update: procedure
    .meta({ rest: { method: "PATCH", path: "/:teamId/scenarios/:scenarioId", status: 200 }, largeBody: true })
    .input(scenariosUpdate)
    .mutation(updateScenario),
  delete: procedure
    .meta({ rest: { method: "DELETE", path: "/:teamId/scenarios/:scenarioId", status: 204 } })
    .input(scenariosDelete)
    .mutation(deleteScenario),
});
