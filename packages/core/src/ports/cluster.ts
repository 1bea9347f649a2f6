import type {
  ConfigMapManifest,
  JobObject,
  LabelledObject,
  PodObject,
  TestRunManifest,
  TestRunObject,
} from "../kubernetes/objects.ts";
import type { NodeLogAccess, NodeLogs, PodLogs } from "./log-sources.ts";

/** Why a request to the cluster failed; HTTP statuses as the Kubernetes API uses them. */
export type ClusterErrorCode =
  | "unauthorized" // 401
  | "forbidden" // 403
  | "not_found" // 404
  | "already_exists" // 409 with reason AlreadyExists
  | "conflict" // any other 409
  | "gone" // 410
  | "invalid" // 400, 413, 422
  | "too_many_requests" // 429
  | "server_error" // 5xx
  | "timeout"
  | "network"; // refused, reset, cut in the middle

export class ClusterError extends Error {
  override readonly name = "ClusterError";
  readonly code: ClusterErrorCode;
  /** HTTP status, when there was an answer. */
  readonly status: number | undefined;
  /** From `Retry-After`. */
  readonly retryAfterMs: number | undefined;

  constructor(
    code: ClusterErrorCode,
    message: string,
    options: { status?: number | undefined; retryAfterMs?: number | undefined; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.status = options.status;
    this.retryAfterMs = options.retryAfterMs;
  }
}

export interface PodLogRequest {
  pod: string;
  container: string;
  /** The API counts pieces of 16 KiB, not lines. */
  tailLines: number;
  /** Upper bound of what is read into memory, in bytes; what exceeds it is cut at the front, the newest is kept. */
  maxBytes: number;
}

/** One raw answer of `GET …/pods/{name}/log?timestamps=true`, to be judged by `readPodLogAnswer`. */
export interface PodLogAnswer {
  status: number;
  contentType: string | undefined;
  /** The whole body, or its end where `cut` is true. */
  body: Uint8Array;
  /** True when the front of the body was left out because of `maxBytes`. */
  cut: boolean;
}

/** What list+watch knows of one TestRun: objects of its name whose owners lead to it. */
export interface Observation {
  testRun: TestRunObject | null;
  jobs: JobObject[];
  pods: PodObject[];
}

/** The namespace's TestRuns, Jobs and Pods, kept current by one list+watch each. */
export interface ClusterView {
  /** True once each kind has been listed; stays true while a broken watch reconnects. */
  readonly synced: boolean;
  /** Why a watch is not connected now, or null when all are. */
  readonly problem: string | null;
  observe(testRunName: string): Observation;
  /** Calls back after each change with the name of the TestRun concerned, and with null after a change of `problem` or `synced`. @returns the unsubscriber. */
  onChange(listener: (testRunName: string | null) => void): () => void;
  /** Ends the watches; idempotent. */
  close(): Promise<void>;
}

/** How the nodes' log files are reached. All but `by` is for the kubelets' own port. */
export interface NodeLogsOptions {
  by: NodeLogs["by"];
  /** (Default: 10250) */
  port?: number | undefined;
  /** PEM of whoever signed the kubelets' certificates. (Default: the cluster's CA of the kubeconfig) */
  ca?: string | undefined;
  /** Sends the credentials to whatever answers, without a look at its certificate. (Default: false) */
  insecure?: boolean | undefined;
}

/**
 * One namespace of a cluster. Every method rejects with {@link ClusterError} and bounds each request in time; none
 * retries but where it says so.
 */
export interface Cluster {
  readonly namespace: string;
  createConfigMap(manifest: ConfigMapManifest, signal: AbortSignal): Promise<void>;
  getConfigMap(name: string, signal: AbortSignal): Promise<LabelledObject | null>;
  /** Absence, or another UID, is success: the one that was meant is gone. */
  deleteConfigMap(name: string, uid: string, signal: AbortSignal): Promise<void>;
  createTestRun(manifest: TestRunManifest, signal: AbortSignal): Promise<TestRunObject>;
  getTestRun(name: string, signal: AbortSignal): Promise<TestRunObject | null>;
  /** Background propagation; absence, or another UID, is success: the one that was meant is gone. */
  deleteTestRun(name: string, uid: string, signal: AbortSignal): Promise<void>;
  /**
   * Takes a finalizer off a TestRun; where it is not there, or the TestRun is another one or gone, that is success. Tried
   * a few times where somebody else writes in between.
   */
  removeFinalizer(name: string, uid: string, finalizer: string, signal: AbortSignal): Promise<void>;
  /** Pods with the label `k6_cr={testRunName}`. */
  listPods(testRunName: string, signal: AbortSignal): Promise<PodObject[]>;
  /** Jobs with the label `k6_cr={testRunName}`. */
  listJobs(testRunName: string, signal: AbortSignal): Promise<JobObject[]>;
  /** PATCHes the runner's `/v1/status` through the API server's pod proxy so that k6 ends with exit code 103. */
  stopRunner(pod: string, signal: AbortSignal): Promise<void>;
  readPodLog(request: PodLogRequest, signal: AbortSignal): Promise<PodLogAnswer>;
  readonly podLogs: PodLogs;
  /** The log files of the nodes that the namespace's pods run on. Sends nothing yet. */
  nodeLogs(options: NodeLogsOptions): NodeLogs;
  /** Asks the cluster whether we may read the nodes' log files that way. */
  reviewNodeLogAccess(by: NodeLogs["by"], signal: AbortSignal): Promise<NodeLogAccess>;
  /** Starts one list+watch each for TestRuns, Jobs (`app=k6`) and Pods (`app=k6`). */
  watch(): ClusterView;
  /** Closes connections; idempotent. */
  close(): Promise<void>;
}
