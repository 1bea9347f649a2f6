import type { NodeAddress, NodeLogs } from "@tailrace/core";
import type { Logger } from "pino";

/** A node whose files could not be read is tried again after this, by streams that begin then. */
const RETRY_MS = 60_000;

/** Where the nodes' own log files can be read, and where that has failed. */
export class NodeAccess {
  readonly #log: Logger;
  readonly #failed = new Map<string, number>();
  #logs: NodeLogs | null = null;

  constructor(log: Logger) {
    this.#log = log;
  }

  /** From now on the nodes' files may be read. */
  allow(logs: NodeLogs): void {
    this.#logs = logs;
  }

  /** How to read the files of a node; null where they can't be read. */
  on(node: NodeAddress | null): NodeLogs | null {
    if (this.#logs === null || node === null) return null;
    const failedAt = this.#failed.get(node.name);
    return failedAt !== undefined && performance.now() - failedAt < RETRY_MS ? null : this.#logs;
  }

  /** As {@link on}, also where it has failed lately: for a stream that can't be read elsewhere. */
  again(node: NodeAddress | null): NodeLogs | null {
    return node === null ? null : this.#logs;
  }

  failed(node: NodeAddress | null, reason: string): void {
    if (node === null) return;
    if (!this.#failed.has(node.name))
      this.#log.warn(
        { node: node.name, reason },
        "the log files on this node can't be read; pods/log is read in their place",
      );
    this.#failed.set(node.name, performance.now());
  }

  works(node: NodeAddress): void {
    if (this.#failed.delete(node.name)) this.#log.info({ node: node.name }, "the log files on this node can be read");
  }
}
