import { randomBytes } from "node:crypto";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { startControllers } from "./controllers/job-controller.ts";
import { Access, type AccessRule } from "./api/access.ts";
import { createFaults, FaultQueue, type Faults, type RequestFault } from "./faults.ts";
import { findK6 } from "./find-k6.ts";
import { ApiServer, type RequestLogEntry } from "./http/api-server.ts";
import { createServingCertificate } from "./http/certificate.ts";
import { createHandler } from "./http/handle.ts";
import { KubeletServer } from "./http/kubelet-server.ts";
import { Children } from "./kubelet/children.ts";
import { Kubelet } from "./kubelet/kubelet.ts";
import { endLeftovers, FOLDER_PREFIX, LEDGER_FILE, OWNER_FILE, ownerLine } from "./kubelet/leftovers.ts";
import type { Pace } from "./kubelet/pod-worker.ts";
import type { Program } from "./kubelet/program.ts";
import { NODE } from "./kubelet/schedule.ts";
import { containerStarter } from "./kubelet/start-container.ts";
import type { Reach } from "./kubelet/starter.ts";
import { Operator } from "./operator/operator.ts";
import { createReplay } from "./replay/replay.ts";
import { ObjectStore } from "./store/store.ts";

export interface SandboxOptions {
  /** The only namespace. (Default: `default`) */
  namespace?: string | undefined;
  /** Where it keeps its files while it runs; made if it is not there. Several sandboxes may share it. */
  dataDir: string;
  /** The k6 to run. (Default: the first one on `path`) */
  k6Bin?: string | undefined;
  /** Where k6 is looked for, and where containers find their programs. (Default: `/usr/local/bin:/usr/bin:/bin`) */
  path?: string | undefined;
  /** `auto`: k6 where there is one, else replay. `k6` without one is an error. (Default: `auto`) */
  mode?: "auto" | "k6" | "replay" | undefined;
  /** Divides the waiting of a replay. (Default: 1) */
  speed?: number | undefined;
  /** Told of what went wrong in the sandbox itself. (Default: nobody) */
  onLog?: ((line: string) => void) | undefined;
  /** Changes kept per kind before a watch from an older resourceVersion gets 410. (Default: 1000) */
  watchHistory?: number | undefined;
  /** Between two bookmarks of a watch, in milliseconds. (Default: 60 000) */
  bookmarkMs?: number | undefined;
  /** How long a followed log stays open after its container's end at most, in milliseconds. (Default: 1000, as the kubelet) */
  followEndMs?: number | undefined;
  /** For how long a container whose image is unknown waits between two tries, in milliseconds. (Default: 10 000) */
  imageBackoffMs?: number | undefined;
  /** Faults from the start on; more through {@link Sandbox.faults}. */
  failures?: readonly RequestFault[] | undefined;
  /** What the sandbox's user may not do; more through {@link Sandbox.faults}. */
  denied?: readonly AccessRule[] | undefined;
  /** Told of every request before it is answered. */
  requestLog?: ((entry: RequestLogEntry) => void) | undefined;
  /** The images that can be pulled. (Default: all) */
  images?: readonly string[] | undefined;
  /** Run in this process in place of the containers that they match; the first one that does. */
  programs?: readonly Program[] | undefined;
  /** Size in bytes at which a container's log is rotated; a negative number is never reached. (Default: 10 MiB, as the kubelet's `containerLogMaxSize`) */
  logMaxBytes?: number | undefined;
  /** Files of a container's log, the current one included; 2 at least. (Default: 5, as `containerLogMaxFiles`) */
  logMaxFiles?: number | undefined;
  /** Between two looks at the logs' sizes, in milliseconds. (Default: 10 000, as `containerLogMonitorInterval`) */
  logMonitorMs?: number | undefined;
}

export interface Sandbox {
  /** `http://127.0.0.1:PORT` */
  readonly url: string;
  /** The bearer token that every request needs. */
  readonly token: string;
  /** The node's kubelet: `https://127.0.0.1:PORT/logs/`, and in PEM who signed its certificate. */
  readonly kubelet: { readonly port: number; readonly ca: string };
  readonly namespace: string;
  /** A file for `KUBECONFIG`, as YAML. */
  kubeconfig(): string;
  /** False where runs are replays. */
  readonly runsRealK6: boolean;
  readonly k6Path: string | null;
  readonly faults: Faults;
  /** Ends every container and removes the files; idempotent. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

const DEFAULT_PATH = ["/usr/local/bin", "/usr/bin", "/bin"].join(delimiter);
/** From a pod's change to its Job's; a second in a cluster. */
const JOB_SYNC_MS = 100;
/** Between SIGTERM and SIGKILL when the sandbox closes. */
const CLOSE_GRACE_MS = 2000;

/**
 * Starts a stand-in for a cluster with k6-operator: the part of the Kubernetes 1.34 API and of k6-operator 1.5.0 that
 * Tailrace uses, over HTTP on a free port of 127.0.0.1, with pods as processes of this machine. Their logs are also to be
 * had from the kubelet's own port, over HTTPS.
 *
 * **It is no isolation.** Scripts and the commands of init containers run as the user who runs this, with that user's
 * files and network; images, resource limits, service accounts and security contexts do not matter.
 *
 * Children can't outlive it: `close` ends them, a watchdog ends them when this process is killed, and the next sandbox on
 * the same `dataDir` ends what both have missed.
 *
 * @throws Error when `mode` is `k6` and there is none, `k6Bin` can't be run, or `logMaxFiles` is below 2
 */
export async function startSandbox(options: SandboxOptions): Promise<Sandbox> {
  const { namespace = "default", dataDir, path = DEFAULT_PATH, mode = "auto", speed = 1, images } = options;
  const { logMaxFiles = 5 } = options;
  if (logMaxFiles < 2) throw new Error(`invalid MaxFiles ${logMaxFiles}, must be > 1`);
  const log = options.onLog ?? ((): void => {});
  const failed = (what: string, error: unknown): void =>
    log(`${what}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
  const k6Path = mode === "replay" ? null : findK6(options.k6Bin, path);
  if (mode === "k6" && k6Path === null) throw new Error("there is no k6 on the path; install it, or name it");

  const certificate = await createServingCertificate();
  await mkdir(dataDir, { recursive: true });
  await endLeftovers(dataDir, log);
  const folder = await mkdtemp(join(dataDir, FOLDER_PREFIX));
  await writeFile(join(folder, OWNER_FILE), ownerLine());
  await mkdir(join(folder, "bin"));
  if (k6Path !== null) await symlink(k6Path, join(folder, "bin", "k6"));

  const store = new ObjectStore(options.watchHistory ?? 1000);
  const children = new Children(join(folder, LEDGER_FILE));
  const pace: Pace = { step: 10, final: 50, retry: 250, imageBackoff: options.imageBackoffMs ?? 10_000 };
  const reach: Reach = (address, request) => {
    const service = store.list("services", namespace).find(({ spec }) => spec.clusterIP === address);
    const pod = store
      .list("pods", namespace)
      .find(
        ({ metadata }) => service !== undefined && metadata.labels?.["job-name"] === service.spec.selector["job-name"],
      );
    return pod === undefined ? Promise.reject(new Error("no endpoint")) : kubelet.request(pod, request);
  };
  const kubelet = new Kubelet({
    store,
    start: containerStarter({
      children,
      reach,
      replay: k6Path === null ? createReplay(speed) : undefined,
      path: [join(folder, "bin"), path].join(delimiter),
    }),
    directory: join(folder, "pods"),
    logDirectory: join(folder, "log", "pods"),
    rotation: {
      maxBytes: options.logMaxBytes ?? 10 * 1024 ** 2,
      maxFiles: logMaxFiles,
      monitorMs: options.logMonitorMs ?? 10_000,
    },
    imageExists: (image) => images === undefined || images.includes(image),
    programs: options.programs ?? [],
    pace,
    failed,
  });
  const stopControllers = startControllers(store, JOB_SYNC_MS, failed);
  const operator = new Operator({ store, readLog: (pod, container) => kubelet.readLog(pod, container), failed });

  const token = randomBytes(32).toString("base64url");
  const queue = new FaultQueue();
  for (const fault of options.failures ?? []) queue.add(fault);
  const access = new Access();
  for (const rule of options.denied ?? []) access.deny(rule);
  const common = { token, faults: queue, requestLog: options.requestLog, failed };
  const logRoot = join(folder, "log");
  const kubeletServer = new KubeletServer({ ...common, certificate, access, node: NODE.name, logRoot });
  const handle = createHandler({
    store,
    kubelet,
    node: { node: NODE.name, logRoot, kubelet: kubeletServer },
    access,
    namespace,
    bookmarkMs: options.bookmarkMs ?? 60_000,
    followEndMs: options.followEndMs ?? 1000,
    address: () => `127.0.0.1:${server.port}`,
  });
  const server = new ApiServer({ ...common, handle });
  await server.start();
  await kubeletServer.start();
  const url = `http://127.0.0.1:${server.port}`;

  let closing: Promise<void> | undefined;
  const close = (): Promise<void> => (closing ??= shutDown());
  const shutDown = async (): Promise<void> => {
    await Promise.all([server.stop(), kubeletServer.stop()]);
    operator.close();
    stopControllers();
    await children.close(CLOSE_GRACE_MS);
    await kubelet.close();
    await rm(folder, { recursive: true, force: true, maxRetries: 3 });
  };
  return {
    url,
    token,
    namespace,
    kubelet: { port: kubeletServer.port, ca: certificate.ca },
    kubeconfig: () => kubeconfig(url, token, namespace),
    runsRealK6: k6Path !== null,
    k6Path,
    faults: createFaults({
      queue,
      api: server,
      kubelet: kubeletServer,
      store,
      rotateLogs: (selection) => kubelet.rotateLogs(selection),
      deny: (rule) => access.deny(rule),
      setOperator: (present) => operator.setPresent(present),
    }),
    close,
    [Symbol.asyncDispose]: close,
  };
}

function kubeconfig(server: string, token: string, namespace: string): string {
  return [
    "apiVersion: v1",
    "kind: Config",
    "clusters:",
    `- {name: sandbox, cluster: {server: "${server}"}}`,
    "users:",
    `- {name: sandbox, user: {token: "${token}"}}`,
    "contexts:",
    `- {name: sandbox, context: {cluster: sandbox, user: sandbox, namespace: "${namespace}"}}`,
    "current-context: sandbox",
    "",
  ].join("\n");
}
