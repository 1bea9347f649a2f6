import { z } from "zod";
import {
  byteSize,
  daysOrNever,
  duration,
  durationOrNever,
  flag,
  integer,
  json,
  list,
  object,
  optionalText,
  text,
} from "./kinds.ts";

/** One environment variable: how it is read, and what people are told about it. */
export interface Definition<T> {
  /** The name of the variable. */
  env: string;
  /** Read where the variable is not set or empty; null for no value. */
  fallback: string | null;
  description: string;
  schema: z.ZodType<T, string | undefined>;
  /** True for values that are never shown. */
  secret?: boolean;
}

function define<T>(
  env: string,
  fallback: string | null,
  schema: z.ZodType<T, string | undefined>,
  description: string,
  rest: { secret?: boolean } = {},
): Definition<T> {
  return { env, fallback, schema, description, ...rest };
}

/** Every setting, in the order in which people read about it. */
export const DEFINITIONS = {
  port: define("PORT", "4173", integer(0, 65_535), "Port of the HTTP server; 0 takes a free one."),
  host: define("HOST", "127.0.0.1", text, "Address on which the HTTP server listens."),
  databaseUrl: define(
    "DATABASE_URL",
    null,
    optionalText,
    "PostgreSQL 15 to 18, as `postgres://…`. Without it an embedded PostgreSQL 18 keeps its data in `TAILRACE_DATA_DIR`.",
    { secret: true },
  ),
  kubeconfig: define(
    "KUBECONFIG",
    null,
    optionalText,
    "Kubeconfig file(s); without it `~/.kube/config`, else the pod's own service account.",
  ),
  kubeContext: define(
    "TAILRACE_KUBE_CONTEXT",
    null,
    optionalText,
    "Context of the kubeconfig; without it the current one.",
  ),
  namespace: define(
    "TAILRACE_NAMESPACE",
    null,
    optionalText,
    "Namespace of the TestRuns; without it the context's, else `default`.",
  ),
  dataDir: define(
    "TAILRACE_DATA_DIR",
    null,
    optionalText,
    "Folder for the embedded PostgreSQL and the sandbox; without it `~/.local/share/tailrace`. As root the database is another user's: where that one can't enter, its data is below `/var/lib/tailrace`, and the log says so.",
  ),
  auth: define(
    "TAILRACE_AUTH",
    "token",
    z.enum(["token", "none"]),
    "`none` opens the API to this machine, without tokens; only with a loopback `HOST`.",
  ),
  adminToken: define(
    "TAILRACE_ADMIN_TOKEN",
    null,
    z.string().min(16, "must have 16 characters or more").optional(),
    "Token that makes teams and tokens; needed unless `TAILRACE_AUTH` is `none`.",
    {
      secret: true,
    },
  ),
  metricsToken: define(
    "TAILRACE_METRICS_TOKEN",
    null,
    z.string().min(16, "must have 16 characters or more").optional(),
    "Bearer token of `/metrics`, beside the admin token.",
    { secret: true },
  ),
  metricsListen: define(
    "TAILRACE_METRICS_LISTEN",
    null,
    z
      .string()
      .regex(/^.+:\d{1,5}$/, "must be an address and a port, such as 127.0.0.1:9464")
      .optional(),
    "Address and port of a listener of its own for `/metrics`, without a token.",
  ),
  maxActiveRuns: define(
    "TAILRACE_MAX_ACTIVE_RUNS",
    "10",
    integer(1, 10_000),
    "Runs of one team that may be active at once.",
  ),
  runnerImage: define(
    "TAILRACE_RUNNER_IMAGE",
    "grafana/k6:2.2.0",
    text,
    "Image of initializer and runners where a scenario names none.",
  ),
  starterImage: define(
    "TAILRACE_STARTER_IMAGE",
    "ghcr.io/grafana/k6-operator:latest-starter",
    text,
    "Image of the starter.",
  ),
  allowedImages: define(
    "TAILRACE_ALLOWED_IMAGES",
    null,
    list.optional(),
    "Images that scenarios may name, separated by commas; without it only the runner image.",
  ),
  serviceAccount: define(
    "TAILRACE_SERVICE_ACCOUNT",
    null,
    optionalText,
    "Service account of the pods; its token is never mounted.",
  ),
  imagePullSecrets: define(
    "TAILRACE_IMAGE_PULL_SECRETS",
    null,
    list.optional(),
    "Names of image pull secrets, separated by commas.",
  ),
  defaultResources: define(
    "TAILRACE_RUNNER_RESOURCES",
    null,
    json(object, "a ResourceRequirements object"),
    "Resources of a runner where a scenario names none, as JSON.",
  ),
  securityContext: define(
    "TAILRACE_POD_SECURITY_CONTEXT",
    null,
    json(object, "a PodSecurityContext object"),
    "Security context of the pods, as JSON.",
  ),
  containerSecurityContext: define(
    "TAILRACE_CONTAINER_SECURITY_CONTEXT",
    null,
    json(object, "a SecurityContext object"),
    "Security context of the containers, as JSON.",
  ),
  nodeSelector: define(
    "TAILRACE_NODE_SELECTOR",
    null,
    json(z.record(z.string(), z.string()), "an object of strings"),
    "Node selector of the pods, as JSON.",
  ),
  tolerations: define(
    "TAILRACE_TOLERATIONS",
    null,
    json(z.array(object), "a list of Toleration objects"),
    "Tolerations of the pods, as JSON.",
  ),
  volumes: define(
    "TAILRACE_VOLUMES",
    null,
    json(z.array(object), "a list of Volume objects"),
    "Volumes of initializer and runners, as JSON.",
  ),
  volumeMounts: define(
    "TAILRACE_VOLUME_MOUNTS",
    null,
    json(z.array(object), "a list of VolumeMount objects"),
    "Volume mounts of initializer and runners, as JSON.",
  ),
  snapshotIntervalMs: define(
    "TAILRACE_SNAPSHOT_INTERVAL",
    "5s",
    duration,
    "How often a run's snapshot is written while only its logs change.",
  ),
  logTailLines: define(
    "TAILRACE_LOG_TAIL_LINES",
    "1000",
    integer(1, 100_000),
    "Lines of each container in the snapshot.",
  ),
  nodeLogs: define(
    "TAILRACE_NODE_LOGS",
    "auto",
    z.enum(["auto", "kubelet", "proxy", "off"]),
    "Whether logs are read from the nodes' own files: `kubelet` from the kubelets' port, `proxy` through the API server, `auto` from the kubelets' port where `get` on `nodes/log` is granted. Where that fails, `pods/log` is read.",
  ),
  kubeletPort: define("TAILRACE_KUBELET_PORT", "10250", integer(1, 65_535), "Port of the kubelets."),
  kubeletCa: define(
    "TAILRACE_KUBELET_CA",
    null,
    optionalText,
    "File with the CA certificates of the kubelets; without it the cluster's own CA.",
  ),
  kubeletInsecure: define(
    "TAILRACE_KUBELET_INSECURE",
    "false",
    flag,
    "`true` sends requests, with their token, also to a kubelet whose certificate is not verified.",
  ),
  finalizer: define(
    "TAILRACE_FINALIZER",
    "true",
    flag,
    "Whether TestRuns get a finalizer, which keeps a deleted one, and its pods, until their logs are read.",
  ),
  spoolBytes: define(
    "TAILRACE_SPOOL_LIMIT",
    "1GiB",
    byteSize,
    "How much may wait on the disk, in `TAILRACE_DATA_DIR`, while the database is away.",
  ),
  logRetentionDays: define(
    "TAILRACE_LOG_RETENTION",
    "never",
    daysOrNever,
    "After how many days logs are deleted, such as `90d`, by the day of the run; a team's may be shorter.",
  ),
  deadlineCreationMs: define(
    "TAILRACE_DEADLINE_CREATION",
    "1m",
    duration,
    "From the run's creation to its TestRun in the cluster.",
  ),
  deadlineInitializationMs: define(
    "TAILRACE_DEADLINE_INITIALIZATION",
    "5m",
    duration,
    "From the TestRun's creation to the end of its initializer.",
  ),
  deadlineImageMs: define(
    "TAILRACE_DEADLINE_IMAGE",
    "2m",
    duration,
    "How long a pod may wait for an image that can't be pulled.",
  ),
  deadlineUnscheduledMs: define(
    "TAILRACE_DEADLINE_UNSCHEDULED",
    "5m",
    duration,
    "How long a pod may be without a node.",
  ),
  deadlineCreatedMs: define(
    "TAILRACE_DEADLINE_CREATED",
    "5m",
    duration,
    "From the initializer's end to the start of all runners.",
  ),
  deadlineEndMs: define(
    "TAILRACE_DEADLINE_END",
    "5m",
    duration,
    "What a run may take beyond the script's total duration; also how long the cluster may be out of reach.",
  ),
  deadlineUnknownDurationMs: define(
    "TAILRACE_DEADLINE_UNKNOWN_DURATION",
    "24h",
    duration,
    "Longest run where the script's total duration could not be read.",
  ),
  deadlineStopMs: define(
    "TAILRACE_DEADLINE_STOP",
    "45s",
    duration,
    "From the request to stop until the TestRun is deleted.",
  ),
  cleanupAfterMs: define(
    "TAILRACE_CLEANUP_AFTER",
    "1h",
    durationOrNever,
    "How long TestRun and ConfigMap of an ended run stay in the cluster; `never` keeps them until the run is deleted.",
  ),
  leaseMs: define("TAILRACE_LEASE", "6s", duration, "How long a server that died keeps its runs from the others."),
  drainMs: define("TAILRACE_DRAIN_TIMEOUT", "10s", duration, "How long open requests may take after SIGTERM."),
  logLevel: define(
    "TAILRACE_LOG_LEVEL",
    "info",
    z.enum(["debug", "info", "warn", "error", "silent"]),
    "Least level of the server's own log.",
  ),
  logFormat: define(
    "TAILRACE_LOG_FORMAT",
    "auto",
    z.enum(["auto", "json", "pretty"]),
    "Form of the server's own log; `auto` is pretty on a terminal.",
  ),
  k6Bin: define(
    "K6_BIN",
    null,
    optionalText,
    "The k6 binary that the sandbox runs; without it the one on the `PATH`, else a replay.",
  ),
  sandboxMode: define(
    "TAILRACE_SANDBOX",
    "auto",
    z.enum(["auto", "k6", "replay"]),
    "What the sandbox's pods run: real k6, a replay, or k6 where it is found.",
  ),
} satisfies Record<string, Definition<unknown>>;

/** The settings, read and checked. Durations are in milliseconds. */
export type Settings = { [K in keyof typeof DEFINITIONS]: z.output<(typeof DEFINITIONS)[K]["schema"]> };
