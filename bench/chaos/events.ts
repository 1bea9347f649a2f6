import { setTimeout as sleep } from "node:timers/promises";
import { until } from "../../e2e/support/until.ts";
import type { ChaosCluster } from "./cluster.ts";
import { readFences, takeLeases, type ChaosDatabase } from "./database.ts";
import type { PlannedEvent } from "./plan.ts";
import type { ChaosServers } from "./servers.ts";

/** What events are done to. */
export interface Stage {
  servers: ChaosServers;
  database: ChaosDatabase;
  cluster: ChaosCluster;
}

const STEALS = 3;

/** How long a lease may be without a holder; a lease in the bench is 3 s long. */
const TAKEOVER_MS = 20_000;

/** Resolves when it is over and what it ended runs again. */
export async function playEvent({ kind, ms }: PlannedEvent, { servers, database, cluster }: Stage): Promise<void> {
  switch (kind) {
    case "kill":
      return await servers.restart("SIGKILL");
    case "term":
      return await servers.restart("SIGTERM");
    case "kill-takeover":
    case "term-takeover": {
      await servers.ensureSecond();
      // A server from which a lease was taken learns of it only when it wants to renew it.
      await untilHeldOnce(servers, database);
      await servers.endHolder(kind === "kill-takeover" ? "SIGKILL" : "SIGTERM");
      return await untilHeldOnce(servers, database);
    }
    case "steal":
      await servers.ensureSecond();
      for (let steal = 0; steal < STEALS; steal += 1) {
        const before = await readFences(database);
        await takeLeases(database);
        await untilTaken(database, before);
      }
      return;
    case "database-restart":
      return await database.restart("orderly", ms);
    case "database-crash":
      return await database.restart("crash", ms);
    case "database-stall":
      return await database.stall(ms);
    case "api-restart":
      await cluster.tell("stop-api");
      await sleep(ms);
      return await cluster.tell("start-api");
    case "kubelet-restart":
      await cluster.tell("stop-kubelet");
      await sleep(ms);
      return await cluster.tell("start-kubelet");
    case "cut":
    case "compact":
      return await cluster.tell(kind);
  }
}

/** Waits until every step that has not ended is held, and by one of the servers that run only. */
async function untilHeldOnce(servers: ChaosServers, database: ChaosDatabase): Promise<void> {
  await until(
    "one holder of every step",
    async () => (await servers.heldSteps()) === (await readFences(database)).size,
    TAKEOVER_MS,
  );
}

/** Waits until every step that has not ended meanwhile has a new holder. */
async function untilTaken(database: ChaosDatabase, before: Map<string, number>): Promise<void> {
  await until(
    "a new holder of every step",
    async () => Array.from(await readFences(database)).every(([id, fence]) => fence > (before.get(id) ?? 0)),
    TAKEOVER_MS,
  );
}
