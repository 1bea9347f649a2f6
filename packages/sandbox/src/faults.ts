import type { ObjectStore } from "./store/store.ts";

/** What the next matching requests get instead of an answer. */
export interface RequestFault {
  /** How many requests. (Default: 1) */
  count?: number;
  /** (Default: every method) */
  method?: string;
  /** Tested against path and query. (Default: every path) */
  path?: RegExp;
  /** A failure Status with this code, or a connection that is reset. */
  answer: 401 | 403 | 404 | 409 | 410 | 429 | 500 | 503 | 504 | "reset";
  /** Sent as `Retry-After` with the status, in seconds. */
  retryAfter?: number;
}

/** The levers of tests: what can go wrong between a client and its cluster. */
export interface Faults {
  /** Adds to the faults that wait for their requests. */
  fail(fault: RequestFault): void;
  /** Drops the faults that no request has met yet. */
  clear(): void;
  /** Resets all connections, in the middle of whatever they carry. */
  cutConnections(): void;
  /** Forgets the history of changes: a watch from an older resourceVersion gets 410. */
  compactWatchHistory(): void;
  /** Stops answering: connections are reset, new ones are refused. What runs in the cluster goes on. */
  stopApi(): Promise<void>;
  /** Answers again, on the same port; the history of changes is forgotten, as an API server starts. */
  startApi(): Promise<void>;
  /** An absent operator lets TestRuns be created and does nothing with them. */
  setOperator(present: boolean): void;
}

/** The faults that wait for their requests. */
export class FaultQueue {
  #faults: (RequestFault & { count: number })[] = [];

  add(fault: RequestFault): void {
    this.#faults.push({ ...fault, count: fault.count ?? 1 });
  }

  clear(): void {
    this.#faults = [];
  }

  /** The fault for a request, which is one fewer then. */
  take(method: string, url: string): RequestFault | undefined {
    const at = this.#faults.findIndex(
      (fault) => (fault.method ?? method) === method && (fault.path?.test(url) ?? true),
    );
    const fault = this.#faults[at];
    if (fault === undefined) return undefined;
    if (--fault.count <= 0) this.#faults.splice(at, 1);
    return fault;
  }
}

/** The part of the API's listener that faults need. */
export interface Listener {
  cut(): void;
  stop(): Promise<void>;
  start(): Promise<void>;
}

export function createFaults(
  queue: FaultQueue,
  listener: Listener,
  store: ObjectStore,
  setOperator: (present: boolean) => void,
): Faults {
  return {
    fail: (fault) => queue.add(fault),
    clear: () => queue.clear(),
    cutConnections: () => listener.cut(),
    compactWatchHistory: () => store.compact(),
    stopApi: () => listener.stop(),
    startApi: async () => {
      store.compact();
      await listener.start();
    },
    setOperator,
  };
}
