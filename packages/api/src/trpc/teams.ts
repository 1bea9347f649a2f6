import {
  teamsCreate,
  teamsCreateToken,
  teamsDeleteToken,
  teamsGet,
  teamsList,
  teamsListTokens,
  teamsUpdate,
} from "../schemas/teams.ts";
import { createToken } from "../verbs/teams/create-token.ts";
import { createTeam } from "../verbs/teams/create.ts";
import { deleteToken } from "../verbs/teams/delete-token.ts";
import { getTeam } from "../verbs/teams/get.ts";
import { listTokens } from "../verbs/teams/list-tokens.ts";
import { listTeams } from "../verbs/teams/list.ts";
import { updateTeam } from "../verbs/teams/update.ts";
import { procedure, router } from "./root.ts";

export const teamsRouter = router({
  create: procedure
    .meta({ rest: { method: "POST", path: "", status: 201 } })
    .input(teamsCreate)
    .mutation(createTeam),
  get: procedure
    .meta({ rest: { method: "GET", path: "/:teamId", status: 200 } })
    .input(teamsGet)
    .query(getTeam),
  list: procedure
    .meta({ rest: { method: "GET", path: "", status: 200 } })
    .input(teamsList)
    .query(listTeams),
  update: procedure
    .meta({ rest: { method: "PATCH", path: "/:teamId", status: 200 } })
    .input(teamsUpdate)
    .mutation(updateTeam),
  createToken: procedure
    .meta({ rest: { method: "POST", path: "/:teamId/tokens", status: 201 } })
    .input(teamsCreateToken)
    .mutation(createToken),
  listTokens: procedure
    .meta({ rest: { method: "GET", path: "/:teamId/tokens", status: 200 } })
    .input(teamsListTokens)
    .query(listTokens),
  deleteToken: procedure
    .meta({ rest: { method: "DELETE", path: "/:teamId/tokens/:tokenId", status: 204 } })
    .input(teamsDeleteToken)
    .mutation(deleteToken),
});
