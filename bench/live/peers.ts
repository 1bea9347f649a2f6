import type { TestNamespace } from "../../e2e/support/cluster.ts";
import { until } from "../../e2e/support/until.ts";
import { startFollower } from "../support/follower.ts";
import { untilPods } from "../support/pods.ts";
import { createPods, measureCores, TEST_RUN, type Case, type Result } from "./case.ts";
import type { Peer } from "./settings.ts";

/** How long behind the pods' end a peer may still print. */
const BEHIND_MS = 30_000;
/** A peer's lines of which one has its time read, where they are many. */
const PEER_SAMPLE = 50;

export async function followByPeer(peer: Peer, namespace: TestNamespace, one: Case): Promise<Result> {
  const { load, signal } = one;
  const expected = load.pods * load.containers * load.lines;
  await createPods(namespace, one);
  await untilPods(namespace.core, namespace.name, "Running", signal);
  const every = expected < 100_000 ? 1 : PEER_SAMPLE;
  await using follower = startFollower(peer, peerArguments(peer, namespace.name), every, signal);
  const { cores, others } = await measureCores([follower.pid], one);
  await untilPods(namespace.core, namespace.name, "Succeeded", signal);
  const use = await follower.use();
  const end = performance.now() + BEHIND_MS;
  await until("the peer's last line", () => follower.lines >= expected || performance.now() > end, BEHIND_MS * 2);
  return {
    lag: follower.samples.summary(load.settle * 1000),
    readerLag: null,
    missing: expected - follower.lines,
    cores: cores[0]!,
    readerCores: null,
    peakRssMb: (await follower.use())?.peakRssMb ?? use?.peakRssMb ?? 0,
    otherCores: others,
  };
}

function peerArguments(peer: Peer, namespace: string): string[] {
  const limits = ["--max-log-requests", "1000"];
  if (peer === "kubectl")
    return [
      "logs",
      "--follow",
      "--timestamps",
      "--all-containers",
      "-n",
      namespace,
      "-l",
      `k6_cr=${TEST_RUN}`,
      ...limits,
    ];
  return ["--namespace", namespace, "--timestamps=default", "--template", '{{.Message}}{{"\\n"}}', ...limits, "."];
}
