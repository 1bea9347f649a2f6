import type pg from "pg";

/** Signature, flags and the length of an extension, before the first row (PostgreSQL, COPY, Binary Format). */
const HEADER_BYTES = 19;

/** The fields of one row, in their order. */
export class CopyRow {
  readonly #bytes: Buffer;
  #at: number;

  constructor(bytes: Buffer, at: number) {
    this.#bytes = bytes;
    this.#at = at;
  }

  int8(): bigint {
    return this.#bytes.readBigInt64BE(this.#skip(8));
  }

  int4(): number {
    return this.#bytes.readInt32BE(this.#skip(4));
  }

  boolean(): boolean {
    return this.#bytes[this.#skip(1)] === 1;
  }

  text(): string {
    const length = this.#length();
    return this.#bytes.toString("utf8", this.#at, (this.#at += length));
  }

  /** A copy. */
  bytes(): Uint8Array<ArrayBuffer> {
    const length = this.#length();
    return new Uint8Array(this.#bytes.subarray(this.#at, (this.#at += length)));
  }

  /** @returns where a value of so many bytes begins, and goes behind it */
  #skip(size: number): number {
    if (this.#length() !== size) throw new TypeError(`a field that is not ${size} bytes long`);
    this.#at += size;
    return this.#at - size;
  }

  #length(): number {
    this.#at += 4;
    return this.#bytes.readInt32BE(this.#at - 4);
  }
}

/**
 * COPY … TO STDOUT (FORMAT binary) as a query of pg: what is binary comes as it is, where pg's own binary mode damages it
 * and its text mode needs twice the bytes. pg-copy-streams is no help here: it never tells pg that it is done, so that
 * the pool's `query_timeout` strikes later, and what it left unread costs the connection.
 */
class CopyOut implements pg.Submittable {
  /** Put here by pg to clear its timer. */
  callback: (() => void) | undefined;
  readonly done: Promise<void>;
  readonly #text: string;
  readonly #onRow: (row: CopyRow) => void;
  readonly #settle: { resolve: () => void; reject: (error: unknown) => void };
  #at = HEADER_BYTES;
  #failure: { error: unknown } | null = null;

  constructor(text: string, onRow: (row: CopyRow) => void) {
    this.#text = text;
    this.#onRow = onRow;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.done = promise;
    this.#settle = { resolve, reject };
  }

  submit(connection: pg.Connection): void {
    connection.query(this.#text);
  }

  /** Always one row (PostgreSQL, Message Formats, CopyData), the header before the first. */
  handleCopyData({ chunk }: { chunk: Buffer }): void {
    const at = this.#at;
    this.#at = 0;
    if (this.#failure !== null || chunk.readInt16BE(at) === -1) return;
    try {
      this.#onRow(new CopyRow(chunk, at + 2));
    } catch (error) {
      this.#failure = { error };
    }
  }

  handleCommandComplete(): void {}

  handleReadyForQuery(): void {
    this.callback?.();
    if (this.#failure === null) this.#settle.resolve();
    else this.#settle.reject(this.#failure.error);
  }

  handleError(error: unknown): void {
    this.callback?.();
    this.#settle.reject(error);
  }
}

/** @param query - a SELECT without parameters, which COPY does not take */
export async function copyOut(client: pg.ClientBase, query: string, onRow: (row: CopyRow) => void): Promise<void> {
  const copy = new CopyOut(`copy (${query}) to stdout (format binary)`, onRow);
  client.query(copy);
  await copy.done;
}
