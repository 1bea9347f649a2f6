import type { LineRun } from "../chunk/builder.ts";
import type { Second } from "../lines/stamp.ts";
import { ENTRIES_WASM } from "./entries-wasm.ts";

/** What its input takes at most, in bytes. */
export const INPUT_BYTES = 65_536;

/** The point between a second and its fraction. */
const POINT = 0x2e;

const TIMES = 1024;
const INPUT = 65_536;
const OUTPUT = 131_328;

interface Exports {
  memory: { buffer: ArrayBuffer };
  readEntries: (...args: number[]) => number;
}

/** Of the WebAssembly interface what is needed; its types come only with those of browsers. */
interface Wasm {
  Module: new (bytes: Uint8Array) => object;
  Instance: new (module: object) => { exports: unknown };
}

/** Entries that were read, as lines for a builder. They lie in memory that the next ones take. */
export interface EntryRun extends LineRun {
  /** Where the last one begins in the input. */
  lastStart: number;
  /** Where the first one begins that was not read. */
  next: number;
}

let shared: EntryRuns | null = null;

/** One for all parsers: none is interrupted by another. */
export function entryRuns(): EntryRuns {
  return (shared ??= new EntryRuns());
}

/**
 * Reads runs of usual entries: whole lines of one second, in UTC and with a fraction, as many as the input has. It is
 * compiled from `assembly/entries.ts`; the parser takes twice as long, and reads what it leaves.
 */
export class EntryRuns {
  readonly #read: Exports["readEntries"];
  readonly #bytes: Uint8Array<ArrayBuffer>;
  readonly #result: Int32Array;

  constructor() {
    const wasm = Uint8Array.from(atob(ENTRIES_WASM), (char) => char.charCodeAt(0));
    const { Module, Instance } = (globalThis as unknown as { WebAssembly: Wasm }).WebAssembly;
    const { memory, readEntries } = new Instance(new Module(wasm)).exports as Exports;
    this.#read = readEntries;
    this.#bytes = new Uint8Array(memory.buffer);
    this.#result = new Int32Array(memory.buffer, 0, 8);
  }

  /** Takes a copy of the input, of at most {@link INPUT_BYTES}. */
  load(bytes: Uint8Array): void {
    this.#bytes.set(bytes, INPUT);
  }

  /**
   * @param from - where an entry begins in the input
   * @param length - of the input
   * @param room - no entry is read behind so many bytes of lines
   * @param second - that of the line before
   * @param nanos - of the line before
   * @returns null where not one was read
   */
  read(from: number, length: number, room: number, second: Second, nanos: number): EntryRun | null {
    const { word0, word1, word2, word3, word4 } = second;
    if (word4 >>> 24 !== POINT) return null;
    const next = this.#read(from, length, room, nanos, word0, word1, word2, word3, word4);
    if (next === from) return null;
    const result = this.#result;
    return {
      next,
      lines: result[0]!,
      bytes: this.#bytes.subarray(OUTPUT, OUTPUT + result[1]!),
      times: this.#bytes.subarray(TIMES, TIMES + result[2]!),
      levels: result[3]!,
      minNanos: result[4]!,
      maxNanos: result[5]!,
      lastNanos: result[6]!,
      lastStart: result[7]!,
    };
  }
}
