import {
  Aligner,
  ChunkBuilder,
  ChunkLines,
  CriParser,
  currentFile,
  FILE_START,
  Hash64,
  instanceFiles,
  type BufferPool,
  type ContainerInstance,
  type Marks,
  type NodeAddress,
  type NodeLogs,
  type NodePosition,
  type PendingLine,
} from "@tailrace/core";

const NEWLINE = 0x0a;

/** The files of one instance, as the follower knows them. */
interface Source {
  name: string;
  /** As in a position: null for the current file. */
  file: string | null;
}

/**
 * Finds the place in the node's files behind the last of the known lines, which were read from another source, by their
 * times and bytes.
 *
 * @param known - the marks of the newest lines
 * @returns null where the files do not continue what is known
 */
export async function locate(
  target: { node: NodeAddress; instance: ContainerInstance },
  known: Marks,
  deps: { logs: NodeLogs; pool: BufferPool },
  signal: AbortSignal,
): Promise<NodePosition | null> {
  if (known.length === 0) return null;
  const names = await deps.logs.list(target, signal);
  if (names === null) return null;
  const { restart } = target.instance;
  const { rotated, current } = instanceFiles(restart, names);
  const sources: Source[] = rotated.map(({ name, base }) => ({ name, file: base }));
  if (current) sources.push({ name: currentFile(restart), file: null });
  let since = known.seconds(0);
  for (let index = 1; index < known.length; index += 1) since = Math.min(since, known.seconds(index));
  const search = new Search(new Aligner(known), since, deps.pool);
  for (const { name, file } of sources) {
    const outcome = await search.file(file, (take) =>
      deps.logs.read(
        target,
        { name, place: FILE_START, limit: null },
        (bytes, flow) => {
          if (take(bytes)) return true;
          flow.stop();
          return false;
        },
        signal,
      ),
    );
    if (outcome !== "on") return outcome;
  }
  return null;
}

/** Compares the files' lines, one file after the other, with what is known. */
class Search {
  readonly #aligner: Aligner;
  readonly #since: number;
  readonly #pool: BufferPool;
  readonly #hash = new Hash64();
  #pending: PendingLine[] = [];
  #found: NodePosition | null = null;
  #failed = false;

  constructor(aligner: Aligner, since: number, pool: BufferPool) {
    this.#aligner = aligner;
    this.#since = since;
    this.#pool = pool;
  }

  async file(
    file: string | null,
    read: (take: (bytes: Uint8Array) => boolean) => Promise<unknown>,
  ): Promise<NodePosition | null | "on"> {
    let place = FILE_START;
    let rest: Uint8Array = new Uint8Array(0);
    const take = (bytes: Uint8Array): boolean => {
      const whole = bytes.lastIndexOf(NEWLINE) + 1;
      const entries = concat(rest, bytes.subarray(0, whole));
      // A copy: what a Buffer's own `slice` gives is overwritten with it.
      rest = whole === 0 ? concat(rest, bytes) : new Uint8Array(bytes.subarray(whole));
      if (whole === 0) return true;
      const before = { file, place, pending: this.#pending };
      const builder = this.#builder();
      const parser = new CriParser(builder, place, this.#pending, () => undefined);
      const known = this.#compare(builder, parser, entries);
      place = parser.place;
      this.#pending = parser.pending;
      if (known !== null) this.#found = this.#behind(before, entries, known);
      return this.#found === null && !this.#failed;
    };
    try {
      await read(take);
    } catch (error) {
      // A reading that was stopped because the place is found may end as cut.
      if (this.#found === null && !this.#failed) throw error;
    }
    if (this.#failed) return null;
    return this.#found ?? "on";
  }

  /** @returns how many of the entries' lines are known, once that is certain */
  #compare(builder: ChunkBuilder, parser: CriParser, entries: Uint8Array): number | null {
    parser.push(entries);
    const chunk = builder.take();
    if (chunk === null) return null;
    const view = new DataView(chunk.payload.buffer, chunk.payload.byteOffset);
    try {
      for (const lines = new ChunkLines(chunk); lines.next();) {
        const { start, end, seconds, nanos, index } = lines;
        if (seconds < this.#since) continue;
        const { high, low } = this.#hash.update(view, start, end);
        const alignment = this.#aligner.push({ seconds, nanos, high, low });
        if (alignment === "new") return index;
        this.#failed = alignment === "none";
        if (this.#failed) return null;
        if (this.#aligner.aligned) return index + 1;
      }
      return null;
    } finally {
      this.#pool.release(chunk.payload.buffer);
    }
  }

  /** Reads the entries once more, one at a time, up to so many lines. */
  #behind(before: NodePosition, entries: Uint8Array, lines: number): NodePosition {
    const builder = this.#builder();
    const parser = new CriParser(builder, before.place, before.pending, () => undefined);
    let at = 0;
    while (builder.lines < lines) {
      const end = entries.indexOf(NEWLINE, at) + 1;
      parser.push(entries.subarray(at, end));
      at = end;
    }
    return { file: before.file, place: parser.place, pending: parser.pending };
  }

  #builder(): ChunkBuilder {
    return new ChunkBuilder(this.#pool, { nextSeq: 0, priorTime: null, standardStreams: true });
  }
}

function concat(a: Uint8Array, b: Uint8Array): Uint8Array {
  const both = new Uint8Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}
