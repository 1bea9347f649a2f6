import type { Target, TlsTarget } from "./connect.ts";
import { Connection } from "./connection.ts";
import { ExchangeError } from "./failure.ts";
import type { GetLimits, GetRequest, OnHead } from "./get.ts";
import { requestHead } from "./request-head.ts";
import { Slots } from "./slots.ts";
import { withTimeouts } from "./timeouts.ts";

export interface PoolOptions {
  target: Target;
  /** Connections at once. */
  limit: number;
  /** How long one is kept that nobody uses, in milliseconds. */
  idleMs: number;
}

/** Connections to one server that are kept alive, at most so many; requests beyond wait in their order. */
export class ConnectionPool {
  readonly target: Target;
  readonly #idleMs: number;
  readonly #slots: Slots;
  readonly #all = new Set<Connection>();
  /** The one used last is at the end and taken first, so that the others may go. */
  readonly #resting: Connection[] = [];
  readonly #onEmpty: () => void;
  #closed: ExchangeError | null = null;
  #retired = false;

  /** @param onEmpty - called when nothing is open and nobody waits */
  constructor({ target, limit, idleMs }: PoolOptions, onEmpty: () => void) {
    this.target = target;
    this.#idleMs = idleMs;
    this.#slots = new Slots(limit);
    this.#onEmpty = onEmpty;
  }

  /** Resolves at the answer's end. The time in the queue does not count as the answer's. */
  async get(request: GetRequest, onHead: OnHead, limits: GetLimits): Promise<void> {
    const head = requestHead(this.target.authority, request);
    try {
      await this.#slots.run(limits.signal, () =>
        withTimeouts(limits, onHead, (timed, signal) => this.#get(head, timed, signal)),
      );
    } finally {
      this.#tellEmpty();
    }
  }

  /** Lets what is under way end, and keeps nothing. */
  retire(): void {
    this.#retired = true;
    for (const connection of this.#resting.splice(0)) connection.close(gone());
  }

  /** Ends everything; idempotent. */
  close(reason: ExchangeError): void {
    this.#closed ??= reason;
    this.#slots.refuse(reason);
    for (const connection of this.#all) connection.close(reason);
  }

  async #get(head: string, onHead: OnHead, signal: AbortSignal): Promise<void> {
    const kept = this.#resting.pop();
    if (kept !== undefined) {
      try {
        await this.#on(kept, head, onHead, signal);
        return;
      } catch (error) {
        if (!isStale(error)) throw error;
      }
    }
    await this.#on(await this.#open(signal), head, onHead, signal);
  }

  async #on(connection: Connection, head: string, onHead: OnHead, signal: AbortSignal): Promise<void> {
    await connection.get(head, onHead, signal);
    if (connection.closed) return;
    if (this.#retired) {
      connection.close(gone());
      return;
    }
    connection.rest(this.#idleMs);
    this.#resting.push(connection);
  }

  async #open(signal: AbortSignal): Promise<Connection> {
    if (this.target.tls?.verifyFirst === true) await this.#verify(this.target.tls, signal);
    return this.#connect(this.target, signal);
  }

  /** Node.js offers our certificate during the handshake, and judges the server's after it: so a first handshake goes without. */
  async #verify(tls: TlsTarget, signal: AbortSignal): Promise<void> {
    if (Object.keys(tls.identity).length === 0) return;
    const connection = await this.#connect({ ...this.target, tls: { ...tls, identity: {} } }, signal);
    connection.close(gone());
  }

  async #connect(target: Target, signal: AbortSignal): Promise<Connection> {
    if (this.#closed !== null) throw this.#closed;
    const connection = new Connection(target);
    this.#all.add(connection);
    connection.onClose = () => this.#forget(connection);
    await connection.ready(signal);
    return connection;
  }

  #forget(connection: Connection): void {
    this.#all.delete(connection);
    const at = this.#resting.indexOf(connection);
    if (at !== -1) this.#resting.splice(at, 1);
    this.#tellEmpty();
  }

  #tellEmpty(): void {
    if (this.#all.size === 0 && this.#slots.free) this.#onEmpty();
  }
}

/** The server may close an idle connection at the moment it is used again. */
function isStale(error: unknown): boolean {
  return error instanceof ExchangeError && error.unanswered && (error.reason === "closed" || error.reason === "reset");
}

function gone(): ExchangeError {
  return new ExchangeError("closed", "the connection is not needed any more");
}
