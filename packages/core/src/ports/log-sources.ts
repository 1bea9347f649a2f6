import type { FilePlace } from "../logs/node/cri-parser.ts";
import type { ContainerInstance, NodeAddress } from "../logs/streams.ts";

/**
 * Takes a body's bytes, which may be overwritten after it returns. What it throws ends the reading and rejects it.
 *
 * @returns false to be given no more until {@link Flow.resume}, unless that was called already
 */
export type TakeBytes = (bytes: Uint8Array, flow: Flow) => boolean;

export interface Flow {
  /** Goes on after a pause. */
  resume(): void;
  /** Ends the reading: `readPodLogs` resolves as cut, `NodeLogs.read` rejects, since the end was not seen. */
  stop(): void;
}

/** A container's log folder on its node. */
export interface NodeLogFolder {
  node: NodeAddress;
  instance: Pick<ContainerInstance, "pod" | "podUid" | "container">;
}

export type NodeReadAnswer =
  /** Everything to the end, or to the limit, was given. */
  | { kind: "read"; bytes: number }
  /** The file is not the one that was meant: the entry before the place is another one, or it is too short. */
  | { kind: "changed" }
  | { kind: "missing" };

/** Reads the log files of the node that a pod runs on, in the cluster's one namespace. Rejects with ClusterError. */
export interface NodeLogs {
  /** How it gets there. */
  readonly by: "kubelet" | "proxy";
  /** The names in a container's log folder; null when there is no such folder. */
  list(folder: NodeLogFolder, signal: AbortSignal): Promise<string[] | null>;
  /**
   * Gives a file's bytes from the place on, unzipped where its name ends in `.gz`, after it has made sure that the entry
   * before the place is the one that was read. Rejects where the body was cut; what was given before counts.
   *
   * @param limit - bytes behind the place at most, 1 or more; null for all
   */
  read(
    folder: NodeLogFolder,
    file: { name: string; place: FilePlace; limit: number | null },
    take: TakeBytes,
    signal: AbortSignal,
  ): Promise<NodeReadAnswer>;
}

export interface PodLogStreamRequest {
  pod: string;
  container: string;
  follow: boolean;
  /** The instance before the current one. */
  previous: boolean;
  /** RFC 3339 in whole seconds; null for everything that is there. */
  sinceTime: string | null;
}

/** How an answer of the log API ended. */
export type PodLogEnd =
  /** 200, and the body's end was its end. */
  | { kind: "ended" }
  /**
   * 200, and then the connection was cut (`reset`, `closed`, `malformed`), or nothing came for too long (`silence`), or
   * the reading was ended by its flow (`stopped`) or its signal (`aborted`).
   */
  | { kind: "cut"; reason: string }
  /** Any other status, with the first 64 KiB of its body. */
  | { kind: "refused"; status: number; contentType: string | undefined; body: Uint8Array };

/** What `pods/log` is to the collector. Rejects with ClusterError when there was no answer at all. */
export interface PodLogs {
  /**
   * `GET …/pods/{pod}/log?timestamps=true`, piece by piece.
   *
   * @param silenceMs - an answer that gives nothing for so long, while it is not paused, ends as cut with the reason `silence`
   */
  readPodLogs(
    request: PodLogStreamRequest,
    take: TakeBytes,
    options: { signal: AbortSignal; silenceMs: number },
  ): Promise<PodLogEnd>;
}

/** Whether the node's files may be read, and what is missing where they may not. */
export interface NodeLogAccess {
  allowed: boolean;
  /** In one line, for people. */
  reason: string;
}
