import { once } from "node:events";
import { ignoreAbort } from "./abort.ts";
import type { AccessRule } from "./api/access.ts";
import type { LogSelection } from "./kubelet/kubelet.ts";
import type { ObjectStore } from "./store/store.ts";

/** Which of the sandbox's two ports a request came to. */
export type Port = "api" | "kubelet";

/** What happens to the next matching requests. Without `answer` and `body` they are answered as ever, but for the rest. */
export interface RequestFault {
  /** How many requests. (Default: 1) */
  count?: number;
  /** (Default: every method) */
  method?: string;
  /** Tested against path and query. (Default: every path) */
  path?: RegExp;
  /** (Default: both) */
  port?: Port;
  /** Waits so long before it answers. */
  delayMs?: number;
  /** A failure with this code, in the words of the API server or of the kubelet, or a connection that is reset. */
  answer?: 401 | 403 | 404 | 409 | 410 | 429 | 500 | 503 | 504 | "reset";
  /** Sent as `Retry-After` with the status, in seconds. */
  retryAfter?: number;
  /** Answers 200 with this text. */
  body?: string;
  /** Resets the connection when so many bytes of a log's body were sent; the last of them may not arrive. */
  cutAfter?: number;
  /**
   * Ends a log's body after so many bytes as if that were all: a chunked one in the middle, as an API server does whose
   * connection to the kubelet broke; a file as if it had been so much shorter when it was opened.
   */
  endAfter?: number;
  /** Sends no more after so many bytes of a log's body, until {@link Faults.clear}; then the rest comes. */
  stallAfter?: number;
}

/** The levers of tests: what can go wrong between a client and its cluster. */
export interface Faults {
  /** Adds to the faults that wait for their requests. */
  fail(fault: RequestFault): void;
  /** Drops the faults that no request has met yet, and lets stalled bodies go on. */
  clear(): void;
  /** Resets all connections, to API and kubelet, in the middle of whatever they carry. */
  cutConnections(): void;
  /** Forgets the history of changes: a watch from an older resourceVersion gets 410. */
  compactWatchHistory(): void;
  /** Stops answering: connections are reset, new ones are refused. What runs in the cluster goes on. */
  stopApi(): Promise<void>;
  /** Answers again, on the same port; the history of changes is forgotten, as an API server starts. */
  startApi(): Promise<void>;
  /**
   * Closes the kubelet's port. What goes through the API server breaks too: open logs come to a clean end, new ones fail
   * with 500, the node proxy with 503. Containers run, are started and are rotated as before.
   */
  stopKubelet(): Promise<void>;
  /** Opens the kubelet's port again; it is the same one. */
  startKubelet(): Promise<void>;
  /** Rotates the logs of running containers now, whatever their sizes; resolves when it is done. */
  rotateLogs(selection?: LogSelection): Promise<void>;
  /** Denies it to the sandbox's user, on both ports and in access reviews. @returns what lifts the denial */
  deny(rule: AccessRule): () => void;
  /** An absent operator lets TestRuns be created and does nothing with them. */
  setOperator(present: boolean): void;
}

/** The faults that wait for their requests. */
export class FaultQueue {
  #faults: (RequestFault & { count: number })[] = [];
  #cleared = new AbortController();

  add(fault: RequestFault): void {
    this.#faults.push({ ...fault, count: fault.count ?? 1 });
  }

  clear(): void {
    this.#faults = [];
    this.#cleared.abort();
    this.#cleared = new AbortController();
  }

  /** Resolves at the next {@link clear}, or when the signal aborts. */
  async cleared(signal: AbortSignal): Promise<void> {
    await once(this.#cleared.signal, "abort", { signal }).catch(ignoreAbort);
  }

  /** The fault for a request, which is one fewer then. */
  take(port: Port, method: string, url: string): RequestFault | undefined {
    const at = this.#faults.findIndex(
      (fault) =>
        (fault.port ?? port) === port && (fault.method ?? method) === method && (fault.path?.test(url) ?? true),
    );
    const fault = this.#faults[at];
    if (fault === undefined) return undefined;
    if (--fault.count <= 0) this.#faults.splice(at, 1);
    return fault;
  }
}

/** The part of a port's listener that faults need. */
export interface Listener {
  cut(): void;
  stop(): Promise<void>;
  start(): Promise<void>;
}

/** What the levers move. */
export interface FaultTargets {
  queue: FaultQueue;
  api: Listener;
  kubelet: Listener;
  store: ObjectStore;
  rotateLogs: (selection: LogSelection) => Promise<void>;
  deny: (rule: AccessRule) => () => void;
  setOperator: (present: boolean) => void;
}

export function createFaults({ queue, api, kubelet, store, rotateLogs, deny, setOperator }: FaultTargets): Faults {
  return {
    fail: (fault) => queue.add(fault),
    clear: () => queue.clear(),
    cutConnections: () => {
      api.cut();
      kubelet.cut();
    },
    compactWatchHistory: () => store.compact(),
    stopApi: () => api.stop(),
    startApi: async () => {
      store.compact();
      await api.start();
    },
    stopKubelet: () => kubelet.stop(),
    startKubelet: () => kubelet.start(),
    rotateLogs: (selection = {}) => rotateLogs(selection),
    deny,
    setOperator,
  };
}
