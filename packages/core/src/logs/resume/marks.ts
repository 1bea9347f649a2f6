import type { Hash64 } from "../lines/hash.ts";

/** What stands for a line when sequences of lines are compared: its time and the hash of its bytes. */
export interface LineMark {
  seconds: number;
  nanos: number;
  high: number;
  low: number;
}

const FIELDS = 4;
const FIRST_MARKS = 64;

/** A growing list of marks, 16 bytes each, whose oldest may be dropped. Seconds are kept in 32 bits, which do until 2106. */
export class Marks {
  #fields = new Int32Array(0);
  #first = 0;
  #end = 0;
  /** The bytes of the last line, with room behind them. */
  #last = new Uint8Array(0);
  #lastBytes = 0;

  get length(): number {
    return this.#end - this.#first;
  }

  seconds(index: number): number {
    return this.#fields[(this.#first + index) * FIELDS]! >>> 0;
  }

  nanos(index: number): number {
    return this.#fields[(this.#first + index) * FIELDS + 1]!;
  }

  at(index: number): LineMark {
    const at = (this.#first + index) * FIELDS;
    const [, nanos, high, low] = this.#fields.subarray(at, at + FIELDS);
    return { seconds: this.seconds(index), nanos: nanos!, high: high!, low: low! };
  }

  is(index: number, { seconds, nanos, high, low }: LineMark): boolean {
    const at = (this.#first + index) * FIELDS;
    const fields = this.#fields;
    return (
      fields[at + 3] === low && fields[at + 1] === nanos && fields[at + 2] === high && fields[at] === (seconds | 0)
    );
  }

  /** True when a line with this mark is in the list. */
  has(mark: LineMark): boolean {
    for (let index = this.length - 1; index >= 0; index -= 1) if (this.is(index, mark)) return true;
    return false;
  }

  /** The bytes of the last line; they change with the next one. */
  get lastLine(): Uint8Array {
    return this.#last.subarray(0, this.#lastBytes);
  }

  push(mark: LineMark): void {
    if ((this.#end + 1) * FIELDS > this.#fields.length) this.#makeRoom();
    const at = this.#end * FIELDS;
    this.#fields[at] = mark.seconds;
    this.#fields[at + 1] = mark.nanos;
    this.#fields[at + 2] = mark.high;
    this.#fields[at + 3] = mark.low;
    this.#end += 1;
  }

  /** Pushes the mark of the line whose bytes are given. */
  pushLine(seconds: number, nanos: number, hash: Hash64, view: DataView, start: number, end: number): void {
    this.push({ seconds, nanos, high: hash.high, low: hash.low });
    this.#keep(new Uint8Array(view.buffer, view.byteOffset + start, end - start));
  }

  /** Drops marks from the front for as long as they are older. */
  dropBefore(seconds: number): void {
    while (this.#first < this.#end && this.#fields[this.#first * FIELDS]! >>> 0 < seconds) this.#first += 1;
  }

  clear(): void {
    this.#first = this.#end;
  }

  /** Those that are not older, in order: what a reading from that second on must begin with. */
  since(seconds: number): Marks {
    const kept = new Marks();
    for (let index = 0; index < this.length; index += 1) if (this.seconds(index) >= seconds) kept.push(this.at(index));
    kept.#keep(this.lastLine);
    return kept;
  }

  #keep(line: Uint8Array): void {
    if (line.length > this.#last.length) this.#last = new Uint8Array(line.length * 2);
    this.#last.set(line);
    this.#lastBytes = line.length;
  }

  /** Moves the marks to the front; where that frees less than half, doubles the memory. */
  #makeRoom(): void {
    const live = this.#fields.subarray(this.#first * FIELDS, this.#end * FIELDS);
    const roomy = live.length * 2 <= this.#fields.length && live.length > 0;
    if (roomy) this.#fields.copyWithin(0, this.#first * FIELDS, this.#end * FIELDS);
    else {
      const grown = new Int32Array(Math.max(FIRST_MARKS * FIELDS, live.length * 2));
      grown.set(live);
      this.#fields = grown;
    }
    this.#end -= this.#first;
    this.#first = 0;
  }
}
