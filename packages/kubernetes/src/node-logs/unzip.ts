import { ClusterError, type Flow, type TakeBytes } from "@tailrace/core";
import { Readable, Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import { ExchangeError } from "../http/failure.ts";
import { steadyTaker } from "../http/steady-taker.ts";

const CHUNK_BYTES = 64 * 1024;

/** Unzips a body on its way to a taker, with some 64 KiB in between. */
export class Unzip {
  /**
   * Resolves when everything has been taken. Rejects with ClusterError `server_error` when it is no gzip or no whole one,
   * with what the taker threw, or with what {@link fail} was given.
   */
  readonly ended: Promise<void>;
  readonly #zipped: Readable;
  readonly #unzipped: Writable;
  #below: Flow | undefined;

  /** @param what - named in errors */
  constructor(what: string, take: TakeBytes) {
    this.#zipped = new Readable({ read: () => this.#below?.resume() });
    this.#unzipped = writableTo(steadyTaker(take), () =>
      this.fail(new ExchangeError("stopped", "the reading was stopped")),
    );
    this.ended = pipeline(this.#zipped, createGunzip({ chunkSize: CHUNK_BYTES }), this.#unzipped).catch(
      (error: unknown) => {
        throw isZlibError(error)
          ? new ClusterError("server_error", `${what}: the gzip is broken`, { cause: error })
          : error;
      },
    );
  }

  /** Takes what is zipped. */
  readonly take: TakeBytes = (bytes, flow) => {
    this.#below = flow;
    return this.#zipped.push(Buffer.from(bytes));
  };

  /** Everything has come. */
  end(): void {
    this.#zipped.push(null);
  }

  fail(error: Error): void {
    this.#zipped.destroy(error);
    // Once everything that is zipped was read, the end that takes is the only one that can still fail.
    this.#unzipped.destroy(error);
  }
}

function writableTo(take: TakeBytes, stop: () => void): Writable {
  let onResume = (): void => {};
  const flow: Flow = { resume: () => onResume(), stop };
  return new Writable({
    write(chunk: Buffer, _encoding, done) {
      onResume = done;
      try {
        if (take(chunk, flow)) done();
      } catch (error) {
        done(error as Error);
      }
    },
  });
}

function isZlibError(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code?.startsWith("Z_") === true;
}
