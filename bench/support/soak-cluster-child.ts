// A sandbox in a process of its own whose runners live for some minutes each; some print a lot, most hardly anything.

import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { startSandbox, type Program } from "@tailrace/sandbox";
import { chance } from "../../e2e/support/fault-proxy.ts";
import { isRunner, paddedLine, writeNumbered } from "../../e2e/support/numbered.ts";
import { nextFromParent, readRequest, tellParent } from "./parent.ts";

export interface SoakClusterRequest {
  folder: string;
  /** How long a run lives on average, in seconds. */
  lifeSeconds: number;
  /** One stream in so many is busy. */
  busyEvery: number;
  /** Lines a second of a busy stream. */
  rate: number;
  /** Between two lines of a quiet one, in milliseconds. */
  quietMs: number;
}

export type SoakClusterAnswer =
  /** How a server finds it. */
  | { kind: "ready"; env: Record<string, string> }
  /** Every runner was asked to end; how many lines each of them has written, by pod, once it has ended. */
  | { kind: "ended"; written: Record<string, number> };

const BATCH_MS = 100;

const request = readRequest() as SoakClusterRequest;
const written: Record<string, number> = {};
const running = new Set<Promise<number>>();
const over = new AbortController();
/** The runs that each scenario has had, in their order. */
const runs = new Map<string, string[]>();

const program: Program = {
  matches: isRunner,
  run(output, { pod, resumed, terminated }) {
    const { name } = pod.metadata;
    const ending = AbortSignal.any([over.signal, terminated]);
    const life = (async () => {
      await Promise.race([resumed, aborted(ending)]);
      const end = performance.now() + lifeOf(name) * 1000;
      const perBatch = Math.max(1, Math.round((request.rate * BATCH_MS) / 1000));
      const [batch, everyMs] = isBusy(name) ? [perBatch, BATCH_MS] : [1, request.quietMs];
      let n = 0;
      while (performance.now() < end && !ending.aborted) {
        writeNumbered(output, paddedLine, name, n, n + batch);
        n += batch;
        await sleep(everyMs, undefined, { signal: ending }).catch(() => undefined);
      }
      written[name] = n;
      return 0;
    })();
    running.add(life);
    return life.finally(() => running.delete(life));
  },
};

await using sandbox = await startSandbox({ dataDir: request.folder, mode: "replay", programs: [program] });
const kubeconfig = join(request.folder, "kubeconfig");
// The generated API classes speak plain HTTP only where certificates are not checked.
const text = sandbox.kubeconfig().replace("cluster: {server:", "cluster: {insecure-skip-tls-verify: true, server:");
await writeFile(kubeconfig, text, { mode: 0o600 });
const kubeletCa = join(request.folder, "kubelet-ca.crt");
await writeFile(kubeletCa, sandbox.kubelet.ca);
await tellParent({
  kind: "ready",
  env: {
    KUBECONFIG: kubeconfig,
    TAILRACE_KUBELET_PORT: String(sandbox.kubelet.port),
    TAILRACE_KUBELET_CA: kubeletCa,
  },
} satisfies SoakClusterAnswer);
await nextFromParent<object>();
over.abort();
await Promise.all(running);
await tellParent({ kind: "ended", written } satisfies SoakClusterAnswer);
// What reads the last lines is still there; the bench ends this process.
await nextFromParent<object>();

/** All runners of a run live equally long; those of the first runs less, so that not all end at once. */
function lifeOf(pod: string): number {
  const [, scenario = "", run = ""] = /^k6-(.+)-([a-z0-9]+)-\d+-[a-z0-9]{5}$/.exec(pod) ?? [];
  const known = runs.get(scenario) ?? [];
  runs.set(scenario, known);
  if (!known.includes(run)) known.push(run);
  const nth = known.indexOf(run);
  const random = chance(1, scenario, nth)();
  return request.lifeSeconds * (nth === 0 ? 0.2 + random : 0.5 + random);
}

function isBusy(pod: string): boolean {
  const [, scenario, runner] = /-(\d+)-[a-z0-9]+-(\d+)-[a-z0-9]{5}$/.exec(pod) ?? [];
  return (Number(scenario) + Number(runner)) % request.busyEvery === 0;
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
