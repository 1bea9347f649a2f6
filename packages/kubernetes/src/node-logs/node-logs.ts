import { ClusterError, type FilePlace, type NodeLogs } from "@tailrace/core";
import { clusterError } from "../http/failure.ts";
import { describeGet, type OnHead } from "../http/get.ts";
import { listFolder } from "./list-folder.ts";
import { logFilePath, logFolderPath } from "./log-path.ts";
import type { NodeGet } from "./node-get.ts";
import { readGzipped, readPlain } from "./read-file.ts";

export interface NodeLogSource {
  by: NodeLogs["by"];
  /** The pods' namespace. */
  namespace: string;
  get: NodeGet;
  times?: NodeLogTimes;
}

/** In milliseconds. */
export interface NodeLogTimes {
  /** From the beginning of the connection to the answer's head. */
  headMs: number;
  /** The longest time without a byte of the body. */
  silenceMs: number;
}

const DEFAULT_TIMES: NodeLogTimes = { headMs: 10_000, silenceMs: 30_000 };

/** Log files of the nodes, over whatever gets there. */
export function openNodeLogs({ by, namespace, get, times = DEFAULT_TIMES }: NodeLogSource): NodeLogs {
  return {
    by,

    async list(folder, signal) {
      const path = `${logFolderPath(namespace, folder)}/`;
      const what = describeGet(`/logs/${path}`);
      const send = (onHead: OnHead): Promise<void> =>
        get(folder.node, { path, headers: {} }, onHead, { ...times, signal });
      return listFolder(what, send).catch((error: unknown) => {
        throw clusterError(what, error);
      });
    },

    async read(folder, { name, place, limit }, take, signal) {
      const path = logFilePath(namespace, folder, name);
      requirePlace(place, limit);
      const what = describeGet(`/logs/${path}`);
      const send = (headers: Record<string, string>, onHead: OnHead, until: AbortSignal): Promise<void> =>
        get(folder.node, { path, headers }, onHead, { ...times, signal: until });
      const read = name.endsWith(".gz") ? readGzipped : readPlain;
      return read(what, send, { place, limit, take, signal }).catch((error: unknown) => {
        throw clusterError(what, error);
      });
    },
  };
}

function requirePlace({ offset, entryBytes }: FilePlace, limit: number | null): void {
  const sizes = [offset, entryBytes, offset - entryBytes, (limit ?? 1) - 1];
  if (sizes.every((size) => Number.isSafeInteger(size) && size >= 0)) return;
  throw new ClusterError("invalid", `no place in a file: ${entryBytes} bytes before ${offset}, ${limit} behind`);
}
