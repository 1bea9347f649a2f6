import type { NodeAddress } from "@tailrace/core";
import type { GetLimits, GetRequest, OnHead } from "../http/get.ts";

/**
 * Sends a GET for a file or a folder of a node's `/var/log`. Rejects with ExchangeError, with ClusterError, or with what
 * the taker threw.
 *
 * @param request - its path is below the file server's `/logs/`
 */
export type NodeGet = (node: NodeAddress, request: GetRequest, onHead: OnHead, limits: GetLimits) => Promise<void>;

/** Connections to one node at once, or to the API server for one node. */
export const NODE_CONNECTIONS = 16;
