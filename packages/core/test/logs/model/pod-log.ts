import { concat, utf8 } from "./bytes.ts";
import { apiStamp } from "./entry.ts";
import type { LogFile } from "./node-folder.ts";
import type { World } from "./world.ts";

const BILLION = 1_000_000_000n;

const AT_FIRST = 1_700_000_000n;
const SHORT = 60_000_000n;

/**
 * One answer of `pods/log?timestamps=true`, as the kubelet's reader gives it (k8s.io/cri-client, pkg/logs/logs.go):
 * only the current file, `since` for each message, one flag "a line begins" for both standard streams.
 */
export class PodLogAnswer {
  /** The number of the file that was the current one when it was asked for; null when there was none. */
  readonly firstFile: number | null;
  /** True when the reader has come to the end, and nothing more comes. */
  done = false;
  readonly #world: World;
  readonly #since: bigint | null;
  readonly #follow: boolean;
  #file: LogFile | null;
  #next = 0;
  readonly #begunAt: bigint;
  /** So many new files were heard of, and gone over to; null before the first end of file. */
  #opened: number | null = null;
  /** The next entry begins a line. */
  lineBegins = true;
  #out: Uint8Array[] = [];

  constructor(world: World, sinceSeconds: number | null, follow: boolean) {
    this.#world = world;
    this.#since = sinceSeconds === null ? null : BigInt(sinceSeconds) * BILLION;
    this.#follow = follow;
    this.#begunAt = world.now;
    this.#file = world.folder.current;
    this.firstFile = this.#file?.number ?? null;
    this.done = this.#file === null;
  }

  /** Bytes that the kubelet has sent and nobody has taken yet. */
  get waiting(): number {
    return this.#out.reduce((sum, { length }) => sum + length, 0);
  }

  /** True when everything of its open file was read. */
  get atEnd(): boolean {
    return this.#file === null || this.#next >= this.#file.entries.length;
  }

  /**
   * At its first end of file it begins to hear of new ones. At later ones it opens the current file from its beginning, once
   * for each that it has heard of.
   */
  wake(): void {
    const { folder, reopening, created, now } = this.#world;
    if (reopening || !this.atEnd || !this.#follow) return;
    this.#opened ??= created;
    if (this.#opened >= created || folder.current === null) return;
    this.#opened += 1;
    // A file that is given once more can't be told from the next one right away, or behind half a line, or when it is short.
    const fresh = now - this.#begunAt < AT_FIRST;
    if (folder.current === this.#file && (fresh || !this.lineBegins || spanOf(folder.current) < SHORT)) return;
    this.#file = folder.current;
    this.#next = 0;
  }

  /** Reads so many entries. */
  read(count: number): void {
    for (let left = count; left > 0 && !this.done; left -= 1) {
      this.wake();
      const entry = this.#file?.entries[this.#next];
      if (entry === undefined) {
        this.done = !this.#follow || this.#world.ended;
        return;
      }
      this.#next += 1;
      const { zone } = this.#world.history;
      const text = entry.partial ? entry.text : concat([entry.text, utf8("\n")]);
      if (this.#since === null || entry.time >= this.#since)
        this.#out.push(this.lineBegins ? utf8(`${apiStamp(entry.time, zone)} `) : new Uint8Array(0), text);
      this.lineBegins = text.length === 0 || text.at(-1) === 0x0a;
    }
  }

  /** Takes up to so many of the bytes that were sent. */
  take(limit: number): Uint8Array<ArrayBuffer> {
    const taken: Uint8Array[] = [];
    let room = Math.min(limit, this.waiting);
    while (room > 0) {
      const [first] = this.#out as [Uint8Array];
      taken.push(first.subarray(0, room));
      if (first.length > room) this.#out[0] = first.subarray(room);
      else this.#out.shift();
      room -= Math.min(room, first.length);
    }
    return concat(taken);
  }
}

/** How much later its last entry is than its first. */
function spanOf({ entries }: LogFile): bigint {
  return (entries.at(-1)?.time ?? 0n) - (entries[0]?.time ?? 0n);
}
