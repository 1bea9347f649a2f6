import { isDeepStrictEqual } from "node:util";
import type { Target } from "./connect.ts";
import { ExchangeError } from "./failure.ts";
import type { GetLimits, GetRequest, OnHead } from "./get.ts";
import { ConnectionPool } from "./pool.ts";

/** Which connections a request may share. */
export interface PoolChoice {
  /** Requests of one name share connections. */
  name: string;
  target: Target;
  /** The most connections at once. */
  limit: number;
}

/** As in `transport.ts`: before the API server's and the kubelet's 90 s and usual load balancers' 60 s. */
const DEFAULT_IDLE_MS = 45_000;

/**
 * GETs over HTTP/1.1 for bodies that are long or never end. Rejects with {@link ExchangeError} or with what the taker
 * threw.
 */
export class HttpClient {
  readonly #pools = new Map<string, ConnectionPool>();
  /** Those too whose credentials are not used any more. */
  readonly #all = new Set<ConnectionPool>();
  readonly #idleMs: number;
  #closed: ExchangeError | null = null;

  /** @param idleMs - how long a connection is kept that nobody uses (Default: 45,000) */
  constructor(idleMs = DEFAULT_IDLE_MS) {
    this.#idleMs = idleMs;
  }

  /**
   * Resolves at the answer's end, whatever its status. Sent once more where a kept connection was closed under it before
   * any byte of the answer.
   */
  async get(choice: PoolChoice, request: GetRequest, onHead: OnHead, limits: GetLimits): Promise<void> {
    if (this.#closed !== null) throw this.#closed;
    await this.#pool(choice).get(request, onHead, limits);
  }

  /** Cuts every connection; idempotent. */
  close(): void {
    this.#closed ??= new ExchangeError("closed", "the cluster was closed");
    for (const pool of this.#all) pool.close(this.#closed);
  }

  /** A connection belongs to the credentials that it was made with. */
  #pool({ name, target, limit }: PoolChoice): ConnectionPool {
    const known = this.#pools.get(name);
    if (known !== undefined && isDeepStrictEqual(known.target, target)) return known;
    known?.retire();
    const pool = new ConnectionPool({ target, limit, idleMs: this.#idleMs }, () => {
      this.#all.delete(pool);
      if (this.#pools.get(name) === pool) this.#pools.delete(name);
    });
    this.#all.add(pool);
    this.#pools.set(name, pool);
    return pool;
  }
}
