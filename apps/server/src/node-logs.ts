import { readFile } from "node:fs/promises";
import type { Cluster, NodeLogAccess, NodeLogs } from "@tailrace/core";
import type { Logger } from "pino";
import type { NodeAccess } from "./collector/node-access.ts";
import type { Settings } from "./settings/definitions.ts";
import { backoffMs } from "./supervisor/backoff.ts";
import { Waker } from "./supervisor/waker.ts";

export interface NodeLogsOptions {
  settings: Pick<Settings, "nodeLogs" | "kubeletPort" | "kubeletCa" | "kubeletInsecure">;
  cluster: Pick<Cluster, "nodeLogs" | "reviewNodeLogAccess">;
  access: NodeAccess;
  log: Logger;
}

/** How long one review may take. */
const REVIEW_MS = 10_000;

/**
 * Finds out whether logs may be read from the nodes' own files, says which source is used and what the other one would
 * need, and opens the files to the collector. Until that is known `pods/log` is read.
 *
 * @throws Error when the file of `TAILRACE_KUBELET_CA` can't be read
 */
export async function openNodeLogs(options: NodeLogsOptions): Promise<AsyncDisposable> {
  const { settings, cluster, access, log } = options;
  const abort = new AbortController();
  const ca = settings.kubeletCa === undefined ? undefined : await readCa(settings.kubeletCa);
  const open = (by: NodeLogs["by"]): NodeLogs =>
    cluster.nodeLogs({ by, port: settings.kubeletPort, ca, insecure: settings.kubeletInsecure });
  let deciding: Promise<void> = Promise.resolve();
  switch (settings.nodeLogs) {
    case "off":
      log.info(
        "logs are read from pods/log; TAILRACE_NODE_LOGS=auto also reads the nodes' files, which is far faster, where get on nodes/log is granted",
      );
      break;
    case "proxy":
      log.info("logs are read from the nodes' files through the API server (nodes/proxy), else from pods/log");
      access.allow(open("proxy"));
      break;
    case "kubelet":
      log.info("logs are read from the nodes' files at the kubelets' port (nodes/log), else from pods/log");
      access.allow(open("kubelet"));
      break;
    case "auto":
      deciding = decide(cluster, log, abort.signal).then((allowed) => {
        if (allowed) access.allow(open("kubelet"));
      });
  }
  if (settings.kubeletInsecure && settings.nodeLogs !== "off")
    log.warn("TAILRACE_KUBELET_INSECURE=true: whoever stands between this server and a kubelet can take its token");
  return {
    async [Symbol.asyncDispose]() {
      abort.abort();
      await deciding;
    },
  };
}

async function decide(
  cluster: Pick<Cluster, "reviewNodeLogAccess">,
  log: Logger,
  signal: AbortSignal,
): Promise<boolean> {
  const waker = new Waker();
  for (let failures = 1; !signal.aborted; failures += 1) {
    try {
      const access = await cluster.reviewNodeLogAccess(
        "kubelet",
        AbortSignal.any([signal, AbortSignal.timeout(REVIEW_MS)]),
      );
      sayDecision(access, log);
      return access.allowed;
    } catch (error) {
      if (!signal.aborted && failures === 1)
        log.warn(
          { err: error },
          "it could not be asked whether the nodes' log files may be read, trying again; until then pods/log is read",
        );
      await waker.sleep(backoffMs(failures, Math.random()), signal);
    }
  }
  return false;
}

function sayDecision({ allowed, reason }: NodeLogAccess, log: Logger): void {
  if (allowed)
    log.info("logs are read from the nodes' files at the kubelets' port (nodes/log is granted), else from pods/log");
  else
    log.info(
      { reason },
      "logs are read from pods/log; the nodes' files, which are far faster to read, are not granted: that takes get on nodes/log, see deploy/rbac.yaml",
    );
}

async function readCa(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (cause) {
    throw new Error(`TAILRACE_KUBELET_CA: ${path} can't be read: ${(cause as Error).message}`, { cause });
  }
}
