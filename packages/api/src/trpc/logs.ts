import { logsPage, logsSearch, logsStreams } from "../schemas/logs.ts";
import { runsGet } from "../schemas/runs.ts";
import { awaitPage } from "../verbs/logs/await-page.ts";
import { searchLogs } from "../verbs/logs/search.ts";
import { snapshotLogs } from "../verbs/logs/snapshot.ts";
import { listStreams } from "../verbs/logs/streams.ts";
import { procedure, router } from "./root.ts";

export const logsRouter = router({
  snapshot: procedure
    .meta({ rest: { method: "GET", path: "/:teamId/test-runs/:runId/logs", status: 200, answer: "text" } })
    .input(runsGet)
    .query(snapshotLogs),
  streams: procedure
    .meta({ rest: { method: "GET", path: "/:teamId/test-runs/:runId/logs/streams", status: 200 } })
    .input(logsStreams)
    .query(listStreams),
  page: procedure
    .meta({ rest: { method: "GET", path: "/:teamId/test-runs/:runId/logs/page", status: 200 } })
    .input(logsPage)
    .query(awaitPage),
  search: procedure
    .meta({ rest: { method: "GET", path: "/:teamId/test-runs/:runId/logs/search", status: 200 } })
    .input(logsSearch)
    .query(searchLogs),
});
