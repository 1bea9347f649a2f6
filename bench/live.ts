import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { VersionApi } from "@kubernetes/client-node";
import { loadKubeConfig } from "@tailrace/kubernetes";
import { openNamespace } from "../e2e/support/cluster.ts";
import type { Case, Measured, Result } from "./live/case.ts";
import { loadsOf } from "./live/loads.ts";
import { followByUs } from "./live/ours.ts";
import { followByPeer } from "./live/peers.ts";
import { report } from "./live/report.ts";
import { FLAGS, NAMES } from "./live/settings.ts";
import { openFolder } from "./support/folder.ts";
import { describeMachine } from "./support/machine.ts";
import { untilAccount } from "./support/pods.ts";
import { openPostgres } from "./support/postgres.ts";
import { runBench } from "./support/run-bench.ts";

const ABOUT = `Pods on the cluster of the kubeconfig print lines evenly, and are followed in turn: by our collector into a durable
PostgreSQL, from the node's files and from pods/log, and by stern and kubectl logs. The lag of a line is counted from the
time that the container runtime gave it to its commit, and to a reader in a process of its own that is woken by NOTIFY and
reads pages through the store; of a peer to its being printed into a pipe. What we store must be what the node's
files have. The clock of the nodes must be this machine's.`;

await runBench({ name: "live", about: ABOUT, flags: FLAGS }, async (values, context) => {
  const { parts, signal, say } = context;
  const folder = parts.use(await openFolder());
  const postgres = parts.use(await openPostgres(folder.path, signal));
  const loads = loadsOf(values);
  const measured: Measured[] = [];
  for (let round = 0; round < values.rounds; round += 1)
    for (const load of loads)
      for (const method of rotated(values.methods, round)) {
        signal.throwIfAborted();
        say(`round ${round + 1}: ${load.name}, ${NAMES[method]}`);
        const spool = join(folder.path, `${round}-${loads.indexOf(load)}-${method}`);
        await mkdir(spool);
        const result = await measure({ method, load, values, postgres, folder: spool, signal });
        measured.push({ method, load: load.name, round, ...result });
      }
  const kubernetes = (await loadKubeConfig().makeApiClient(VersionApi).getCode()).gitVersion;
  return report(describeMachine({ postgres: postgres.settings, kubernetes }), values, loads, measured);
});

function rotated<T>(items: readonly T[], by: number): T[] {
  return items.map((_, index) => items[(index + by) % items.length]!);
}

async function measure(one: Case): Promise<Result> {
  await using namespace = await openNamespace("tailrace-live");
  await untilAccount(namespace.core, namespace.name, one.signal);
  return one.method === "stern" || one.method === "kubectl"
    ? await followByPeer(one.method, namespace, one)
    : await followByUs(one.method, namespace, one);
}
