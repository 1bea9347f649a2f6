/** Joins chunks and cuts them at `\n`. A line is decoded as a whole, so a character may be split over chunks. */
export class LineSplitter {
  readonly #limit: number;
  #parts: Buffer[] = [];
  #size = 0;

  /** @param limit - the longest line in bytes */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /**
   * @returns the lines that are complete now, without their newline and without empty ones
   * @throws RangeError when a line exceeds the limit
   */
  push(chunk: Buffer): string[] {
    const lines: string[] = [];
    let start = 0;
    for (let end = chunk.indexOf(10); end !== -1; end = chunk.indexOf(10, start)) {
      this.#keep(chunk.subarray(start, end));
      const line = Buffer.concat(this.#parts).toString("utf8");
      if (line.trim() !== "") lines.push(line);
      this.#parts = [];
      this.#size = 0;
      start = end + 1;
    }
    this.#keep(chunk.subarray(start));
    return lines;
  }

  #keep(part: Buffer): void {
    this.#size += part.length;
    if (this.#size > this.#limit) throw new RangeError(`a line exceeds ${this.#limit} bytes`);
    if (part.length > 0) this.#parts.push(part);
  }
}
