import { FILE_START, type CriParser, type FilePlace } from "./cri-parser.ts";
import { currentFile, instanceFiles, type InstanceFiles, type RotatedFile } from "./file-names.ts";
import type { PendingLine } from "./line-joiner.ts";

/** Where a stream that is read from the node's files stands; everything before is in its chunks. */
export interface NodePosition {
  /** The rotated file's name without `.gz`; null for the file that was the current one. */
  file: string | null;
  place: FilePlace;
  pending: PendingLine[];
}

/** What the follower wants to know next. */
export type NodeRequest =
  | { kind: "list" }
  /**
   * The file's bytes from the place on, for the parser. The last entry before the place must be what `place` says, else
   * the answer is `changed`.
   *
   * @param limit - how many bytes at most
   */
  | { kind: "read"; name: string; gzipped: boolean; place: FilePlace; limit: number | null }
  /** Nothing until so many milliseconds have passed. */
  | { kind: "wait"; ms: number };

export type NodeAnswer =
  /** @param names - null where the folder is not there */
  | { kind: "names"; names: readonly string[] | null }
  /** @param bytes - how many the parser was given */
  | { kind: "read"; bytes: number }
  | { kind: "changed" }
  /** There is no such file. */
  | { kind: "missing" }
  | { kind: "waited" };

/** How a follower stands. */
export type FollowerState =
  /** There is more to read, or it is not known yet. */
  | "busy"
  /** Everything that the container has written so far was read. */
  | "idle"
  /** The place is in none of the files: what came behind it may be lost. {@link NodeFollower.skipGap} goes on. */
  | "lost"
  /** The folder or the current file is not there. */
  | "gone";

/**
 * The last bytes of a rotated file may come a moment after it was renamed: the runtime is asked to reopen its log only
 * then. So its end counts when nothing came for this long.
 */
const SETTLE_MS = 250;

/** What is read of a file before its first entry is known. Less than would fill a chunk, and more than any entry of a usual size. */
const HEAD_LIMIT = 32 * 1024;

type Mode =
  /** Which file is the first one? */
  | { at: "begin" }
  /** Reads the current file. */
  | { at: "current" }
  /** Reads a rotated one. `settled`: nothing more is written into it. */
  | { at: "rotated"; name: string; gzipped: boolean; settled: boolean }
  /** Waits until that is so. `followed`: the file behind it was there before. */
  | { at: "settling"; name: string; gzipped: boolean; followed: boolean }
  /** Reads a rotated file's head: before its first entry is known there is no place in it. */
  | { at: "open"; file: RotatedFile; before: NodePosition; limit: number }
  /** The end of a rotated file was seen: what is next? */
  | { at: "next"; name: string; gzipped: boolean; settled: boolean }
  /** The place is not where it was. */
  | { at: "search" }
  | { at: "try"; candidates: Candidate[]; listed: string }
  | { at: "search_again"; listed: string }
  /** The current file's head was read: is it the file behind `after`, or was that one rotated away meanwhile? */
  | { at: "head"; after: string | null; before: NodePosition; limit: number }
  | { at: "confirm"; after: string | null; before: NodePosition; limit: number; bytes: number }
  | { at: "lost" }
  | { at: "gone" };

interface Candidate {
  name: string;
  gzipped: boolean;
  /** Null for the current file. */
  base: string | null;
}

/**
 * Follows one container instance through its log files: the current one, and where that was rotated away, the renamed and
 * compressed ones, in their order and each to its end. It decides; somebody else asks the node and feeds the parser.
 *
 * A file is known by what stands before the place in it, never by its name or size alone.
 */
export class NodeFollower {
  readonly #restart: number;
  readonly #parser: CriParser;
  readonly #takeLines: () => void;
  readonly #dropLines: () => void;
  #file: string | null;
  #mode: Mode;
  #idle = false;
  #rotatedBeforeStart = false;

  /**
   * @param position - null where nothing was read yet
   * @param lines - what the parser's builder holds: `take` makes them count, `drop` forgets them
   */
  constructor(
    restart: number,
    parser: CriParser,
    position: NodePosition | null,
    lines: { take: () => void; drop: () => void },
  ) {
    this.#restart = restart;
    this.#parser = parser;
    this.#takeLines = lines.take;
    this.#dropLines = lines.drop;
    this.#file = position?.file ?? null;
    if (position === null || (position.file === null && position.place.offset === 0)) this.#mode = { at: "begin" };
    else if (position.file === null) this.#mode = { at: "current" };
    else this.#mode = { at: "rotated", name: position.file, gzipped: false, settled: false };
  }

  get state(): FollowerState {
    if (this.#mode.at === "lost" || this.#mode.at === "gone") return this.#mode.at;
    return this.#idle && this.inCurrentFile ? "idle" : "busy";
  }

  /** True when files had been rotated before the first one was read: an older one may be gone. */
  get rotatedBeforeStart(): boolean {
    return this.#rotatedBeforeStart;
  }

  /** True when a line was begun before the place that is lost: its end is lost with it. */
  get lossCertain(): boolean {
    return this.#parser.pending.length > 0;
  }

  /** True while the lines that the parser has given may have to be dropped again: they must not be taken yet. */
  get holding(): boolean {
    return "before" in this.#mode;
  }

  /** True while what is read lies in the file that the container writes to. */
  get inCurrentFile(): boolean {
    return this.#mode.at === "current" || this.#mode.at === "head" || this.#mode.at === "confirm";
  }

  /** Where to go on after a restart; counts together with the lines that the parser has given. */
  get position(): NodePosition {
    if ("before" in this.#mode) return this.#mode.before;
    return { file: this.#file, place: this.#parser.place, pending: this.#parser.pending };
  }

  /** Goes on with the oldest file that is there; the lines before are lost. */
  skipGap(): void {
    this.#file = null;
    this.#parser.replacePending([]);
    this.#parser.moveTo(FILE_START);
    this.#mode = { at: "begin" };
  }

  /** The last request failed, perhaps in the middle of its answer: it is asked again, from behind the last whole entry. */
  interrupted(): void {
    const mode = this.#mode;
    if (!("before" in mode)) {
      this.#parser.moveTo(this.#parser.place);
      return;
    }
    this.#dropLines();
    this.#parser.replacePending(mode.before.pending);
    this.#parser.moveTo(FILE_START);
    if (mode.at === "confirm") this.#mode = { ...mode, at: "head" };
  }

  request(): NodeRequest {
    const mode = this.#mode;
    switch (mode.at) {
      case "current":
        return this.#read(currentFile(this.#restart), false, this.#parser.place, null);
      case "rotated":
        return this.#read(mode.name, mode.gzipped, this.#parser.place, null);
      case "open":
        return this.#read(mode.file.name, mode.file.gzipped, FILE_START, mode.limit);
      case "head":
        return this.#read(currentFile(this.#restart), false, FILE_START, mode.limit);
      case "try": {
        const { name, gzipped } = mode.candidates[0]!;
        return this.#read(name, gzipped, this.#parser.place, null);
      }
      case "settling":
        return { kind: "wait", ms: SETTLE_MS };
      case "begin":
      case "next":
      case "search":
      case "search_again":
      case "confirm":
      case "lost":
      case "gone":
        return { kind: "list" };
    }
  }

  answer(answer: NodeAnswer): void {
    // What came of an entry that is not whole comes again.
    if (answer.kind === "read") this.#parser.moveTo(this.#parser.place);
    this.#mode = this.#after(this.#mode, answer);
  }

  #after(mode: Mode, answer: NodeAnswer): Mode {
    switch (mode.at) {
      case "begin":
        return this.#begin(filesOf(this.#restart, answer));
      case "current":
        return this.#afterCurrent(mode, answer);
      case "rotated":
        return this.#afterRotated(mode, answer);
      case "settling":
        return { at: "rotated", name: mode.name, gzipped: mode.gzipped, settled: mode.followed };
      case "open":
        return this.#afterOpen(mode, answer);
      case "next":
        return this.#next(mode, filesOf(this.#restart, answer));
      case "search":
        return this.#search(filesOf(this.#restart, answer));
      case "search_again":
        return this.#searchAgain(mode.listed, filesOf(this.#restart, answer));
      case "try":
        return this.#afterTry(mode, answer);
      case "head":
        return this.#afterHead(mode, answer);
      case "confirm":
        return this.#confirm(mode, filesOf(this.#restart, answer));
      case "lost":
        return mode;
      case "gone":
        // It may come back: the folder is made a moment before the container, and a kubelet may be told of a pod late.
        return answer.kind === "names" && answer.names !== null ? { at: "search" } : mode;
    }
  }

  #read(name: string, gzipped: boolean, place: FilePlace, limit: number | null): NodeRequest {
    return { kind: "read", name, gzipped, place, limit };
  }

  #begin(files: InstanceFiles | null): Mode {
    if (files === null) return { at: "gone" };
    const [oldest] = files.rotated;
    if (oldest !== undefined) {
      this.#rotatedBeforeStart = true;
      return this.#open(oldest);
    }
    return files.current ? this.#openCurrent(null) : { at: "gone" };
  }

  #open(file: RotatedFile): Mode {
    return { at: "open", file, before: this.#leave(), limit: HEAD_LIMIT };
  }

  #openCurrent(after: string | null): Mode {
    this.#idle = false;
    return { at: "head", after, before: this.#leave(), limit: HEAD_LIMIT };
  }

  /** @returns the place to go back to */
  #leave(): NodePosition {
    this.#takeLines();
    const before = this.position;
    this.#parser.moveTo(FILE_START);
    return before;
  }

  #afterOpen(mode: Extract<Mode, { at: "open" }>, answer: NodeAnswer): Mode {
    if (answer.kind !== "read") return this.#goBack(mode.before);
    const { name, base, gzipped } = mode.file;
    if (this.#parser.place.offset === 0 && answer.bytes === mode.limit) return { ...mode, limit: mode.limit * 2 };
    this.#file = base;
    return { at: "rotated", name, gzipped, settled: false };
  }

  #afterCurrent(mode: Mode, answer: NodeAnswer): Mode {
    this.#idle = answer.kind === "read" && answer.bytes === 0;
    return answer.kind === "read" ? mode : { at: "search" };
  }

  #afterRotated(mode: Extract<Mode, { at: "rotated" }>, answer: NodeAnswer): Mode {
    this.#idle = false;
    if (answer.kind !== "read") return { at: "search" };
    // A compressed file does not grow, and is read whole each time.
    if (answer.bytes > 0 && !mode.gzipped) return { ...mode, settled: false };
    return { ...mode, at: "next" };
  }

  /** The end of a rotated file was seen. Names are times, and the oldest file is removed first, so what follows it is the next one. */
  #next(mode: Extract<Mode, { at: "next" }>, files: InstanceFiles | null): Mode {
    if (files === null) return { at: "gone" };
    const own = files.rotated.findIndex(({ base }) => base === this.#file);
    if (own === -1) return { at: "search" };
    const newer = files.rotated[own + 1];
    if (newer !== undefined) {
      if (mode.settled || mode.gzipped) return this.#open(newer);
      // Its last entries may have come after its end was seen; now there are no more.
      const { name, gzipped } = files.rotated[own]!;
      return { at: "rotated", name, gzipped, settled: true };
    }
    if (mode.settled && files.current) return this.#openCurrent(this.#file);
    return { at: "settling", name: mode.name, gzipped: mode.gzipped, followed: files.current };
  }

  #search(files: InstanceFiles | null): Mode {
    if (files === null) return { at: "gone" };
    if (this.#parser.place.offset === 0) return this.#searchByName(files);
    const candidates: Candidate[] = files.rotated.toReversed();
    // A file that could not be reopened gets its name back.
    if (files.current) candidates.push({ name: currentFile(this.#restart), gzipped: false, base: null });
    return candidates.length === 0 ? { at: "gone" } : { at: "try", candidates, listed: signature(files) };
  }

  /** Nothing was read of the file yet. */
  #searchByName(files: InstanceFiles): Mode {
    if (this.#file === null) return this.#begin(files);
    const own = files.rotated.find(({ base }) => base === this.#file);
    return own === undefined ? { at: "lost" } : this.#open(own);
  }

  #afterTry({ candidates, listed }: Extract<Mode, { at: "try" }>, answer: NodeAnswer): Mode {
    const [tried, ...rest] = candidates;
    if (answer.kind === "read") {
      this.#file = tried!.base;
      if (tried!.base === null) return { at: "current" };
      const { name, gzipped } = tried!;
      return { at: gzipped ? "next" : "rotated", name, gzipped, settled: false };
    }
    // What was listed and is not there was renamed, and would not be found under its new name.
    const still = answer.kind === "missing" ? "" : listed;
    return rest.length === 0 ? { at: "search_again", listed: still } : { at: "try", candidates: rest, listed: still };
  }

  /** Only where nothing was renamed during the search is the place really nowhere. */
  #searchAgain(listed: string, files: InstanceFiles | null): Mode {
    if (files === null) return { at: "gone" };
    return signature(files) === listed ? { at: "lost" } : this.#search(files);
  }

  #afterHead(mode: Extract<Mode, { at: "head" }>, answer: NodeAnswer): Mode {
    if (answer.kind !== "read") return this.#goBack(mode.before);
    if (answer.bytes > 0) this.#idle = false;
    return { ...mode, at: "confirm", bytes: answer.bytes };
  }

  /** If no file was rotated away since, the one whose head was read is the current one, and directly behind `after`. */
  #confirm(mode: Extract<Mode, { at: "confirm" }>, files: InstanceFiles | null): Mode {
    const { after, before, limit, bytes } = mode;
    if (files === null) {
      this.#goBack(before);
      return { at: "gone" };
    }
    if ((files.rotated.at(-1)?.base ?? null) !== after) return this.#goBack(before);
    this.#idle = bytes === 0;
    // Nothing to recognise it by yet: it is looked at anew until its first entry is there.
    if (this.#parser.place.offset === 0)
      return { at: "head", after, before, limit: bytes === limit ? limit * 2 : limit };
    this.#file = null;
    return { at: "current" };
  }

  #goBack(before: NodePosition): Mode {
    this.#dropLines();
    this.#parser.replacePending(before.pending);
    this.#parser.moveTo(before.place);
    this.#file = before.file;
    // The first file was renamed meanwhile, and may be gone when it is looked for.
    if (before.file === null) this.#rotatedBeforeStart = true;
    // A rotated file is found by its name or, compressed, by what stands before the place.
    return before.file === null
      ? { at: "search" }
      : { at: "rotated", name: before.file, gzipped: false, settled: false };
  }
}

function filesOf(restart: number, answer: NodeAnswer): InstanceFiles | null {
  return answer.kind === "names" && answer.names !== null ? instanceFiles(restart, answer.names) : null;
}

function signature({ rotated, current }: InstanceFiles): string {
  return [...rotated.map(({ name }) => name), current].join("\n");
}
