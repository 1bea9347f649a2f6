import { concat } from "./bytes.ts";
import { criBytes, type Entry, type Zone } from "./entry.ts";

/** One log file, whatever its name is at the time. */
export class LogFile {
  readonly number: number;
  readonly entries: Entry[] = [];
  readonly #zone: Zone;
  #parts: Uint8Array[] = [];

  constructor(number: number, zone: Zone) {
    this.number = number;
    this.#zone = zone;
  }

  append(entry: Entry): void {
    this.entries.push(entry);
    this.#parts.push(criBytes(entry, this.#zone));
  }

  get bytes(): Uint8Array<ArrayBuffer> {
    const whole = concat(this.#parts);
    this.#parts = [whole];
    return whole;
  }
}

export interface Rotated {
  /** `0.log.20261124-135413` */
  base: string;
  file: LogFile;
  /** Which of `base`, `base.gz` and `base.tmp` are there. */
  raw: boolean;
  gz: boolean;
  tmp: boolean;
}

/** A container's log folder on its node. */
export class NodeFolder {
  /** `0.log`; null between its renaming and the runtime's reopening. */
  current: LogFile | null;
  /** The oldest first. */
  rotated: Rotated[] = [];

  constructor(first: LogFile) {
    this.current = first;
  }

  /** Everything in the folder, in the order of a listing, with files of another instance of the container. */
  names(): string[] {
    const names = this.rotated.flatMap(({ base, raw, gz, tmp }) => [
      ...(raw ? [base] : []),
      ...(gz ? [`${base}.gz`] : []),
      ...(tmp ? [`${base}.tmp`] : []),
    ]);
    return ["1.log", "1.log.20261124-000000", ...names, ...(this.current === null ? [] : ["0.log"])].toSorted();
  }

  /** The file of that name, unzipped. */
  open(name: string): LogFile | null {
    if (name === "0.log") return this.current;
    const found = this.rotated.find(({ base, raw, gz }) => (raw && name === base) || (gz && name === `${base}.gz`));
    return found?.file ?? null;
  }

  has(file: LogFile): boolean {
    return this.current === file || this.rotated.some((rotated) => rotated.file === file);
  }
}
