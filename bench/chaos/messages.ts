import type { LogSource } from "@tailrace/core";
import type { WrittenFile } from "./writer.ts";

/** What the process of the cluster is told to make. */
export interface ClusterOrder {
  seed: number;
  source: LogSource;
  /** Of each stream. */
  lines: number;
  /** In all. */
  streams: number;
  /** A log is rotated about once in so many lines. */
  rotateEvery: number;
  /** Where it keeps its files. */
  folder: string;
}

export type ClusterCommand =
  /** The greatest time of any stored line, in nanoseconds, by stream. */
  | { kind: "stored"; times: Record<number, string> }
  /** Lines that each stream may write in all, until more are allowed. */
  | { kind: "allow"; lines: number }
  | { kind: "cut" }
  | { kind: "compact" }
  | { kind: "stop-api" }
  | { kind: "start-api" }
  | { kind: "stop-kubelet" }
  | { kind: "start-kubelet" }
  /** From now on requests are passed on as they are. */
  | { kind: "calm" }
  | { kind: "report" };

export type ClusterMessage =
  /** @param env - how a server finds the cluster, through the proxy */
  | { kind: "ready"; env: Record<string, string> }
  | { kind: "progress"; written: number; ended: number }
  /** A command was carried out. */
  | { kind: "done" }
  | { kind: "report"; report: ClusterReport }
  | { kind: "failed"; message: string };

/** What was written, and done to those who read it. */
export interface ClusterReport {
  streams: { stream: number; pod: string; lines: number; files: WrittenFile[] }[];
  /** How many requests met each fault. */
  faults: Record<string, number>;
}
