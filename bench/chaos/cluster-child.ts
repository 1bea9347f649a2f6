// A sandbox whose runners print numbered lines, behind a proxy that does to requests what the plan says. A process of its
// own, so that it does not take time from those who read. It ends with the process that started it.

import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createServingCertificate, startSandbox, type Program } from "@tailrace/sandbox";
import { chance, openFaultProxy, type FaultProxy } from "../../e2e/support/fault-proxy.ts";
import { isRunner } from "../../e2e/support/numbered.ts";
import type { ClusterCommand, ClusterMessage, ClusterOrder, ClusterReport } from "./messages.ts";
import { planFault, planRotations, requestKind, streamOf } from "./plan.ts";
import { Stamps } from "./stamps.ts";
import { Writer } from "./writer.ts";

const MAX_FILES = 5;
/** Lines of each stream that may wait to be stored before its container slows down. */
/** The shortest time between two rotations of a log by a kubelet, which the rules for `pods/log` rely on. */
const KUBELET_MS = 3_000;

const WINDOW = 20_000;
const PROGRESS_MS = 100;

const order = JSON.parse(process.argv[2]!) as ClusterOrder;
const writers = new Map<number, { pod: string; writer: Writer; ended: boolean }>();
let calm = false;
let allowed = 0;

const send = (message: ClusterMessage): void => void process.send?.(message);

await using parts = new AsyncDisposableStack();
const sandbox = parts.use(
  await startSandbox({
    dataDir: order.folder,
    mode: "replay",
    programs: Array.from({ length: order.streams }, (_, stream) => programOf(stream)),
    logMaxBytes: -1,
    logMaxFiles: MAX_FILES,
    onLog: (message) => send({ kind: "failed", message: `sandbox: ${message}` }),
  }),
);
const certificate = await createServingCertificate();
const proxies = [
  parts.use(await openProxy({ target: { protocol: "http:", port: Number(new URL(sandbox.url).port) } })),
  parts.use(
    await openProxy({
      target: { protocol: "https:", port: sandbox.kubelet.port, ca: sandbox.kubelet.ca },
      tls: certificate,
    }),
  ),
] as const;
const kubeconfig = join(order.folder, "kubeconfig");
// The generated API classes speak plain HTTP only where certificates are not checked.
const server = `{insecure-skip-tls-verify: true, server: "http://127.0.0.1:${proxies[0].port}"}`;
await writeFile(kubeconfig, sandbox.kubeconfig().replace(`{server: "${sandbox.url}"}`, server), { mode: 0o600 });
const kubeletCa = join(order.folder, "kubelet-ca.crt");
await writeFile(kubeletCa, certificate.ca);
send({
  kind: "ready",
  env: {
    KUBECONFIG: kubeconfig,
    TAILRACE_KUBELET_PORT: String(proxies[1].port),
    TAILRACE_KUBELET_CA: kubeletCa,
  },
});

const progress = setInterval(() => {
  const all = [...writers.values()];
  const written = all.reduce((sum, { writer }) => sum + writer.written, 0);
  send({ kind: "progress", written, ended: all.filter(({ ended }) => ended).length });
}, PROGRESS_MS);
process.on("message", (command: ClusterCommand) => {
  carryOut(command).catch((error: unknown) => send({ kind: "failed", message: String(error) }));
});
// Ctrl-C reaches every process of a terminal; whoever started this one ends it when all is cleaned up.
process.on("SIGINT", () => undefined);
await new Promise((resolve) => process.once("disconnect", resolve).once("SIGTERM", resolve));
clearInterval(progress);
await parts.disposeAsync();
if (process.connected) process.disconnect();

function programOf(stream: number): Program {
  const stamps = new Stamps(chance(order.seed, "stamps", stream));
  return {
    clock: stamps.next,
    matches: (pod) => isRunner(pod) && streamOf(pod.metadata.name) === stream,
    async run(output, { pod, resumed, terminated }) {
      await resumed;
      const { name } = pod.metadata;
      const options = {
        pod: name,
        lines: order.lines,
        rotations: planRotations(order.seed, stream, order.lines, order.rotateEvery),
        stamps,
        rotate: () => sandbox.faults.rotateLogs({ pod: name }),
        readableRotations: order.source === "node" ? MAX_FILES - 1 : 0,
        burstMs: order.source === "node" ? 0 : KUBELET_MS,
        window: WINDOW,
        allowed: () => allowed,
      };
      const entry = { pod: name, writer: new Writer(options, output, terminated), ended: false };
      writers.set(stream, entry);
      await entry.writer.run();
      entry.ended = true;
      return 0;
    },
  };
}

function openProxy(options: Pick<Parameters<typeof openFaultProxy>[0], "target" | "tls">): Promise<FaultProxy> {
  const seen = new Map<string, number>();
  return openFaultProxy({
    ...options,
    choose: ({ path }) => {
      const stream = streamOf(path);
      const key = `${requestKind(path)} ${stream ?? ""}`;
      const nth = seen.get(key) ?? 0;
      seen.set(key, nth + 1);
      return calm ? { kind: "none" } : planFault(order.seed, stream, { path, nth });
    },
  });
}

async function carryOut(command: ClusterCommand): Promise<void> {
  switch (command.kind) {
    case "stored":
      for (const [stream, time] of Object.entries(command.times))
        writers.get(Number(stream))?.writer.storedUntil(BigInt(time));
      return;
    case "allow":
      allowed = command.lines;
      return;
    case "cut":
      for (const proxy of proxies) proxy.cutAll();
      break;
    case "compact":
      sandbox.faults.compactWatchHistory();
      for (const proxy of proxies) proxy.cutAll();
      break;
    case "stop-api":
      await sandbox.faults.stopApi();
      break;
    case "start-api":
      await sandbox.faults.startApi();
      break;
    case "stop-kubelet":
      await sandbox.faults.stopKubelet();
      break;
    case "start-kubelet":
      await sandbox.faults.startKubelet();
      break;
    case "calm":
      calm = true;
      break;
    case "report":
      return send({ kind: "report", report: report() });
  }
  send({ kind: "done" });
}

function report(): ClusterReport {
  const faults: Record<string, number> = {};
  for (const proxy of proxies)
    for (const [kind, count] of proxy.played) if (kind !== "none") faults[kind] = (faults[kind] ?? 0) + count;
  const streams = [...writers].map(([stream, { pod, writer }]) => ({
    stream,
    pod,
    lines: writer.written,
    files: writer.files,
  }));
  return { streams, faults };
}
