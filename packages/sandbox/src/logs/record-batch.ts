import type { StreamName } from "./cri.ts";

/** A record around its content: time, stream, tag, three spaces, newline. */
const MAX_FRAME_BYTES = 64;

/** Records in the form of the file, one behind the other in one buffer, so that many are written at once. */
export class RecordBatch {
  #bytes = Buffer.allocUnsafe(64 * 1024);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /**
   * @param time - with nine fraction digits; trailing zeros are dropped in the file, as Go's RFC3339Nano drops them
   * @param content - from `start` to `end`
   */
  add(time: string, stream: StreamName, partial: boolean, content: Buffer, start: number, end: number): void {
    this.#reserve(MAX_FRAME_BYTES + end - start);
    const short = time.endsWith("0Z") ? time.replace(/\.?0*Z$/, "Z") : time;
    this.#length += this.#bytes.write(`${short} ${stream} ${partial ? "P" : "F"} `, this.#length, "latin1");
    this.#length += content.copy(this.#bytes, this.#length, start, end);
    this.#bytes[this.#length++] = 0x0a;
  }

  /** Everything that was added since the last time; lent until the next record is added. */
  take(): Buffer {
    const taken = this.#bytes.subarray(0, this.#length);
    this.#length = 0;
    return taken;
  }

  #reserve(more: number): void {
    if (this.#length + more <= this.#bytes.length) return;
    const grown = Buffer.allocUnsafe(Math.max(this.#length + more, this.#bytes.length * 2));
    this.#bytes.copy(grown, 0, 0, this.#length);
    this.#bytes = grown;
  }
}
