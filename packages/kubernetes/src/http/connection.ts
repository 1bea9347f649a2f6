import type net from "node:net";
import { beginConnection, connected, type Target } from "./connect.ts";
import { abortFailure, type ExchangeError } from "./failure.ts";
import { Exchange } from "./exchange.ts";
import type { OnHead } from "./get.ts";

/**
 * A connection that carries one GET after the other. It reads into one buffer and hands the content on from there, which
 * takes a third of the CPU time of `node:https`.
 */
export class Connection {
  /** Called once, when it is closed. */
  onClose: () => void = () => {};
  readonly #socket: net.Socket;
  #exchange: Exchange | null = null;

  /** Begins it; {@link ready} waits for it. */
  constructor(target: Target) {
    const socket = beginConnection(target, (bytes) => this.#received(bytes));
    socket.on("end", () => this.#closed());
    socket.on("timeout", () => socket.destroy());
    socket.on("error", (error: NodeJS.ErrnoException) => this.#exchange?.broken(error));
    socket.on("close", () => {
      this.#closed();
      this.onClose();
    });
    this.#socket = socket;
  }

  /** True when nothing more can be sent on it. */
  get closed(): boolean {
    return this.#socket.destroyed;
  }

  /** @throws ExchangeError */
  async ready(signal: AbortSignal): Promise<void> {
    await connected(this.#socket, signal);
  }

  /**
   * Resolves at the answer's end. Rejects with {@link ExchangeError} or with what the taker threw, and is closed then.
   *
   * @param head - the request, in latin1
   */
  async get(head: string, onHead: OnHead, signal: AbortSignal): Promise<void> {
    const socket = this.#socket;
    const exchange = new Exchange(onHead, socket);
    const abort = (): void => exchange.fail(abortFailure(signal));
    this.#exchange = exchange;
    signal.addEventListener("abort", abort, { once: true });
    socket.setTimeout(0);
    socket.ref();
    try {
      if (signal.aborted) abort();
      else if (socket.destroyed) exchange.close();
      else socket.write(head, "latin1");
      await exchange.ended;
    } finally {
      signal.removeEventListener("abort", abort);
      this.#exchange = null;
      if (!exchange.reusable) socket.destroy();
    }
  }

  /** Waits for the next request, for so long, without keeping the process. */
  rest(ms: number): void {
    this.#socket.unref();
    this.#socket.setTimeout(ms);
  }

  /** Ends what is under way; idempotent. */
  close(reason: ExchangeError): void {
    this.#exchange?.fail(reason);
    this.#socket.destroy();
  }

  #received(bytes: Buffer): boolean {
    if (this.#exchange !== null) return this.#exchange.push(bytes);
    // Nobody has asked: the next answer would be a wrong one.
    this.#socket.destroy();
    return true;
  }

  #closed(): void {
    this.#exchange?.close();
    this.#socket.destroy();
  }
}
