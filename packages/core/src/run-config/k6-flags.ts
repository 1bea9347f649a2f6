/** A flag of `k6 run`, and what Tailrace makes of it. */
export interface K6Flag {
  name: string;
  short?: string;
  /** False for switches; those take a value as `--flag=value` alone. */
  takesValue: boolean;
  /** Why runs may not have it; absent when they may. */
  refused?: string;
}

const value = (name: string, short?: string): K6Flag => ({ name, takesValue: true, ...(short && { short }) });
const flag = (name: string, short?: string): K6Flag => ({ name, takesValue: false, ...(short && { short }) });
const refuse = (known: K6Flag, reason: string): K6Flag => ({ ...known, refused: reason });

const LOGS = "Tailrace keeps what the container prints";

/**
 * Every flag of `k6 run` 2.2.0 (`k6 run --help`). Each one that is allowed was run through the initializer's
 * `k6 archive`, its `k6 inspect` and `k6 run`.
 */
export const K6_RUN_FLAGS: readonly K6Flag[] = [
  value("vus", "u"),
  value("duration", "d"),
  value("iterations", "i"),
  value("stage", "s"),
  value("max-redirects"),
  value("batch"),
  value("batch-per-host"),
  value("rps"),
  value("user-agent"),
  value("min-iteration-duration"),
  value("blacklist-ip"),
  value("block-hostnames"),
  value("summary-trend-stats"),
  value("summary-time-unit"),
  value("summary-mode"),
  value("system-tags"),
  value("tag"),
  value("local-ips"),
  value("dns"),
  value("compatibility-mode"),
  value("env", "e"),
  value("traces-output"),
  value("log-format"),
  value("secret-source"),
  value("out", "o"),
  flag("no-setup"),
  flag("no-teardown"),
  flag("http-debug"),
  flag("insecure-skip-tls-verify"),
  flag("no-connection-reuse"),
  flag("no-vu-connection-reuse"),
  flag("throw", "w"),
  flag("discard-response-bodies"),
  flag("no-thresholds"),
  flag("new-machine-readable-summary"),
  flag("no-color"),
  // k6-operator keeps it from the initializer, whose report it would disturb; the runners print debug lines.
  flag("verbose", "v"),
  refuse(value("address", "a"), "k6-operator sets it to start the runners"),
  refuse(value("execution-segment"), "k6-operator sets it to split the load between the runners"),
  refuse(value("execution-segment-sequence"), "k6-operator sets it to split the load between the runners"),
  refuse(flag("paused", "p"), "k6-operator sets it so that all runners start together"),
  refuse(flag("quiet", "q"), "k6-operator sets it to keep the progress bars out of the logs"),
  refuse(flag("linger", "l"), "the runners would never end"),
  refuse(value("log-output"), `${LOGS}, and k6-operator leaves out every argument after it in the initializer`),
  refuse(value("console-output"), `${LOGS}, and a file is lost with the pod`),
  refuse(
    value("summary-export"),
    "a file is lost with the pod; K6_SUMMARY_EXPORT=stderr in env prints it into the log",
  ),
  refuse(flag("profiling-enabled"), "it would open the profiler on the runners' port, which has no password"),
  refuse(flag("include-system-env-vars"), "the scripts get env this way"),
  refuse(value("config", "c"), "the pods have no configuration file; options belong into the script"),
  refuse(value("type", "t"), "the script is always JavaScript"),
  refuse(value("features"), "the initializer's k6 archive does not know it; set K6_FEATURES in env"),
  refuse(flag("no-usage-report"), "Tailrace sets K6_NO_USAGE_REPORT"),
  refuse(flag("help", "h"), "k6 would print its help and run nothing"),
];

/** Finds a flag as written, `--name` or `-n`. */
export function findK6Flag(written: string): K6Flag | undefined {
  return K6_RUN_FLAGS.find(
    ({ name, short }) => written === `--${name}` || (short !== undefined && written === `-${short}`),
  );
}
