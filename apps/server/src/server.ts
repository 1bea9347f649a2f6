import { writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import type { Cluster, ClusterView } from "@tailrace/core";
import { contextNamespace, loadKubeConfig, openCluster } from "@tailrace/kubernetes";
import { migrate, openStore, openStoredChunk, startEmbeddedPostgres, storeChunk } from "@tailrace/store";
import type { FastifyInstance } from "fastify";
import type { Logger } from "pino";
import { openCollector } from "./collector/collector.ts";
import { NodeAccess } from "./collector/node-access.ts";
import { startRetention } from "./collector/retention.ts";
import { DEMO_TEAM, ensureDemoData } from "./demo-data.ts";
import { createApp } from "./http/app.ts";
import { trackConnections } from "./http/connections.ts";
import { listenForMetrics } from "./http/metrics-route.ts";
import { createMetrics } from "./metrics.ts";
import { openNodeLogs } from "./node-logs.ts";
import type { Settings } from "./settings/definitions.ts";
import { checkServing } from "./settings/read.ts";
import { supervise } from "./supervise.ts";

export interface ServerOptions {
  settings: Settings;
  /** True for the stand-in cluster of this machine instead of the kubeconfig's. */
  sandbox: boolean;
  /** Where the sandbox looks for k6. */
  path?: string | undefined;
  log: Logger;
  /** Cuts the start short. */
  signal?: AbortSignal;
}

export interface RunningServer extends AsyncDisposable {
  /** Origin under which the server answers. */
  url: string;
  /** Answers what is under way, gives the leases back, closes everything. Idempotent. */
  close(): Promise<void>;
}

/**
 * Starts a whole Tailrace: database, cluster, supervisor, HTTP. What was started is closed again when a later part
 * fails.
 *
 * @throws SettingsError when the settings do not allow to serve
 */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const { settings, log } = options;
  checkServing(settings);
  await using parts = new AsyncDisposableStack();
  const store = await openDatabase(options, parts);
  options.signal?.throwIfAborted();
  if (settings.auth === "none") await ensureDemoData(store);

  const metrics = createMetrics();
  const connected = await connectCluster(options, parts);
  const cluster = parts.adopt(connected.cluster, (it) => it.close());
  const access = new NodeAccess(log);
  parts.use(await openNodeLogs({ settings: { ...settings, ...connected.kubelet }, cluster, access, log }));
  const spoolDirectory = join(dataFolder(settings), options.sandbox ? "demo" : "server", "spool");
  const collector = parts.use(
    await openCollector({
      store,
      openChunk: openStoredChunk,
      storeChunk,
      podLogs: cluster.podLogs,
      access,
      spoolDirectory,
      spoolLimit: settings.spoolBytes,
      metrics: metrics.collector,
      log,
    }),
  );
  parts.use(startRetention({ store, retentionDays: settings.logRetentionDays, spoolDirectory, log }));
  const view = parts.adopt(cluster.watch(), (it) => it.close());
  const synced = firstSync(view);
  view.onChange((name) => name === null && metrics.watchConnected.set(view.problem === null && view.synced ? 1 : 0));
  const supervision = parts.use(supervise({ settings, store, cluster, view, collector, metrics, log }));

  const readiness = async (): Promise<string | null> => {
    const alive = await store.ping().then(
      () => true,
      () => false,
    );
    if (!alive) return "the database does not answer";
    return synced() ? null : "the cluster has not been listed yet; the server's log says why";
  };
  if (settings.metricsListen !== undefined) {
    const server = await listenForMetrics(settings.metricsListen, metrics.registry);
    parts.defer(() => new Promise<void>((resolve) => server.close(() => resolve())));
  }
  const app = createApp({ settings, store, cluster, metrics, readiness, log });
  const closeUnused = trackConnections(app.server);
  // Others go on with the runs while the last requests are answered.
  parts.defer(async () => {
    await Promise.all([drain(app, closeUnused, settings.drainMs), supervision[Symbol.asyncDispose]()]);
  });
  const url = await app.listen({ port: settings.port, host: settings.host });
  announce(options, url);

  const owned = parts.move();
  const close = (): Promise<void> => owned.disposeAsync();
  return { url, close, [Symbol.asyncDispose]: close };
}

async function openDatabase({ settings, log, sandbox, signal }: ServerOptions, parts: AsyncDisposableStack) {
  let databaseUrl = settings.databaseUrl;
  if (databaseUrl === undefined) {
    const dataDir = join(dataFolder(settings), sandbox ? "demo" : "server", "postgres");
    const embedded = parts.adopt(await startEmbeddedPostgres({ dataDir, log, signal }), (it) => it.close());
    databaseUrl = embedded.url;
  }
  await migrate(databaseUrl);
  return parts.adopt(await openStore({ databaseUrl, log }), (it) => it.close());
}

/** A cluster, and where its kubelets are found, if that is not what the settings say. */
interface Connected {
  cluster: Cluster;
  kubelet: { kubeletPort?: number; kubeletCa?: string };
}

async function connectCluster(
  { settings, log, sandbox, path }: ServerOptions,
  parts: AsyncDisposableStack,
): Promise<Connected> {
  if (!sandbox) {
    const load = () => loadKubeConfig({ kubeconfig: settings.kubeconfig, context: settings.kubeContext });
    const kubeConfig = load();
    const namespace = settings.namespace ?? contextNamespace(kubeConfig);
    log.info({ server: kubeConfig.getCurrentCluster()?.server, namespace }, "using the cluster of the kubeconfig");
    return { cluster: openCluster({ kubeConfig: load, namespace, log }), kubelet: {} };
  }
  // Only the demo loads the stand-in.
  const { startSandbox } = await import("@tailrace/sandbox");
  const dataDir = join(dataFolder(settings), "demo", "sandbox");
  const started = await startSandbox({
    namespace: settings.namespace ?? "default",
    dataDir,
    mode: settings.sandboxMode,
    ...(settings.k6Bin === undefined ? {} : { k6Bin: settings.k6Bin }),
    ...(path === undefined ? {} : { path }),
    images: [settings.runnerImage, settings.starterImage, ...(settings.allowedImages ?? [])],
  });
  const standIn = parts.adopt(started, (it) => it.close());
  log.info(
    standIn.runsRealK6
      ? `sandbox: pods run ${standIn.k6Path} on this machine, without isolation`
      : "sandbox: k6 is not installed here; pods replay recorded k6 output",
  );
  const kubeconfig = join(dataDir, "kubeconfig");
  await writeFile(kubeconfig, standIn.kubeconfig(), { mode: 0o600 });
  const kubeletCa = join(dataDir, "kubelet-ca.crt");
  await writeFile(kubeletCa, standIn.kubelet.ca, { mode: 0o600 });
  const cluster = openCluster({ kubeConfig: loadKubeConfig({ kubeconfig }), namespace: standIn.namespace, log });
  return { cluster, kubelet: { kubeletPort: standIn.kubelet.port, kubeletCa } };
}

/** Where data is kept when no folder is named. */
function dataFolder(settings: Pick<Settings, "dataDir">): string {
  return settings.dataDir ?? join(homedir(), ".local", "share", "tailrace");
}

/** Once the cluster was listed the server stays ready: what it knows can be read while the cluster is away. */
function firstSync(view: ClusterView): () => boolean {
  let synced = false;
  return () => (synced ||= view.synced);
}

async function drain(app: FastifyInstance, closeUnused: () => void, timeoutMs: number): Promise<void> {
  const limit = setTimeout(() => app.server.closeAllConnections(), timeoutMs);
  // A connection that was answered while closing may be kept alive by its client, who asks nothing more.
  const idle = setInterval(closeUnused, 50);
  await app.close().finally(() => {
    clearTimeout(limit);
    clearInterval(idle);
  });
}

function announce({ settings, sandbox, log }: ServerOptions, url: string): void {
  if (settings.auth === "none") {
    log.warn("TAILRACE_AUTH=none: everybody on this machine may start runs, without a token");
  }
  log.info({ url, cluster: sandbox ? "sandbox" : "kubeconfig" }, `Tailrace listens on ${url}`);
  if (settings.auth === "none") {
    log.info(
      `start a run: curl -X POST ${url}/api/dashboard/load-testing/teams/${DEMO_TEAM}/test-runs -H "Content-Type: application/json" -d '{"scenarioId":"load-test-scenario","parallelism":2}'`,
    );
  }
}
