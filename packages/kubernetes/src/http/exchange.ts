import type { Flow } from "@tailrace/core";
import { AnswerReader } from "./answer-reader.ts";
import { ExchangeError, socketFailure } from "./failure.ts";
import type { OnHead } from "./get.ts";

/** What an exchange does to the socket under it. */
interface Valve {
  pause(): void;
  resume(): void;
  destroy(): void;
}

/**
 * One request's answer on a connection. After a pause the socket may still give what TLS had decrypted already, at most
 * what one read of the system brought: that is kept, in its order, before whatever ends the connection.
 */
export class Exchange implements Flow {
  /** Resolves at the answer's end; rejects with {@link ExchangeError} or with what the taker threw. */
  readonly ended: Promise<void>;
  readonly #valve: Valve;
  readonly #reader: AnswerReader;
  readonly #settle: PromiseWithResolvers<void>;
  #answered = false;
  #settled = false;
  /** The taker wants no more for now. */
  #paused = false;
  /** The socket was paused and not resumed yet: that comes after what is held. */
  #shut = false;
  #held: Buffer[] = [];
  /** How the connection ended while there was something held. */
  #end: (() => void) | null = null;

  constructor(onHead: OnHead, valve: Valve) {
    this.#valve = valve;
    this.#reader = new AnswerReader(onHead, this);
    this.#settle = Promise.withResolvers<void>();
    this.ended = this.#settle.promise;
  }

  /** True when another request may follow on the connection. */
  get reusable(): boolean {
    return this.#reader.reusable;
  }

  /** Takes what the socket gave; it is overwritten afterwards. @returns false when the socket was paused */
  push(bytes: Buffer): boolean {
    this.#answered = true;
    if (this.#paused) this.#held.push(Buffer.from(bytes));
    else this.#read(bytes);
    return !this.#paused;
  }

  /** The server has closed the connection. */
  close(): void {
    this.#atEnd(() => {
      try {
        this.#reader.close();
        this.#succeed();
      } catch (error) {
        this.fail(error);
      }
    });
  }

  /** The socket is broken. */
  broken(error: NodeJS.ErrnoException): void {
    this.#atEnd(() => this.fail(socketFailure(error)));
  }

  resume(): void {
    if (!this.#paused || this.#settled) return;
    this.#paused = false;
    const held = this.#held;
    this.#held = [];
    for (const [index, bytes] of held.entries()) {
      this.#read(bytes);
      if (this.#settled) return;
      if (this.#paused) {
        this.#held = held.slice(index + 1);
        return;
      }
    }
    if (this.#end === null) this.#open();
    else this.#end();
  }

  stop(): void {
    this.fail(new ExchangeError("stopped", "the reading was stopped"));
  }

  /** Ends it with an error, and the connection with it. Nothing happens after the end. */
  fail(error: unknown): void {
    if (this.#settled) return;
    this.#settled = true;
    this.#held = [];
    if (error instanceof ExchangeError) error.unanswered = !this.#answered;
    this.#valve.destroy();
    this.#settle.reject(error);
  }

  #read(bytes: Buffer): void {
    try {
      const wanted = this.#reader.push(bytes);
      if (this.#settled) return;
      if (this.#reader.done) this.#succeed();
      else if (!wanted) {
        this.#paused = true;
        this.#shut = true;
        this.#valve.pause();
      }
    } catch (error) {
      this.fail(error);
    }
  }

  #atEnd(end: () => void): void {
    if (this.#paused) this.#end ??= end;
    else end();
  }

  #succeed(): void {
    if (this.#settled) return;
    this.#settled = true;
    this.#open();
    this.#settle.resolve();
  }

  #open(): void {
    if (!this.#shut) return;
    this.#shut = false;
    this.#valve.resume();
  }
}
