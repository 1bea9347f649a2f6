import { isAscii } from "node:buffer";
import { ChunkError, type Chunk } from "@tailrace/core/chunk";

/** The lines of a chunk for those who search in them; what costs time is made when it is first asked for. */
export class ChunkText {
  /** The lines, each followed by `\n`. */
  readonly bytes: Buffer;
  readonly view: DataView;
  readonly lines: number;
  #ends: Uint32Array | null = null;
  #latin1: string | null = null;
  #ascii: boolean | null = null;

  constructor({ payload, lineBytes, lines }: Chunk) {
    this.bytes = Buffer.from(payload.buffer, payload.byteOffset, lineBytes);
    this.view = new DataView(payload.buffer, payload.byteOffset, lineBytes);
    this.lines = lines;
  }

  /** One character for each byte. */
  get latin1(): string {
    return (this.#latin1 ??= this.bytes.toString("latin1"));
  }

  get ascii(): boolean {
    return (this.#ascii ??= isAscii(this.bytes));
  }

  /** For each line the offset of its `\n`. @throws ChunkError */
  get ends(): Uint32Array {
    return (this.#ends ??= this.#findEnds());
  }

  start(line: number): number {
    return line === 0 ? 0 : this.ends[line - 1]! + 1;
  }

  #findEnds(): Uint32Array {
    const ends = new Uint32Array(this.lines);
    let end = -1;
    for (let line = 0; line < this.lines; line++) {
      end = this.bytes.indexOf(0x0a, end + 1);
      if (end === -1) throw new ChunkError("a chunk has fewer lines than its row says");
      ends[line] = end;
    }
    return ends;
  }
}
