import { beforeEach, describe, expect, test } from "vitest";
import {
  CriParser,
  FILE_START,
  Hash64,
  NodeFollower,
  type ChunkBuilder,
  type NodeAnswer,
  type NodePosition,
  type NodeRequest,
} from "../../../src/index.ts";
import { utf8 } from "../model/bytes.ts";
import { newBuilder, textsOf } from "../support.ts";

const T = "2026-11-23T16:22:29.24Z";
const A = "0.log.20261124-135428";
const B = "0.log.20261124-135431";
const C = "0.log.20261124-135434";
const KIB = 1024;

function entries(...lines: string[]): string {
  return lines.map((line) => `${T} stdout F ${line}\n`).join("");
}

/** A log folder whose files a test changes between two requests; null when it is not there. */
let folder: Map<string, string> | null;

function write(name: string, ...lines: string[]): void {
  folder!.set(name, (folder!.get(name) ?? "") + entries(...lines));
}

function rename(from: string, to: string): void {
  folder!.set(to, folder!.get(from)!);
  folder!.delete(from);
}

/** A follower with what it has read; everything is taken as soon as it may be. */
class Reading {
  readonly builder: ChunkBuilder = newBuilder(true);
  readonly parser: CriParser;
  readonly follower: NodeFollower;
  readonly lines: string[] = [];
  readonly requests: NodeRequest[] = [];

  constructor(position: NodePosition | null = null) {
    const { place, pending } = position ?? { place: FILE_START, pending: [] };
    this.parser = new CriParser(this.builder, place, pending, () => this.#take());
    this.follower = new NodeFollower(0, this.parser, position, {
      take: () => this.#take(),
      drop: () => this.builder.discard(),
    });
  }

  /** One request and its answer. */
  step(): void {
    const request = this.follower.request();
    this.requests.push(request);
    this.follower.answer(this.#answer(request));
    this.#take();
  }

  /** Goes on until the next request is of that kind. */
  upTo(kind: NodeRequest["kind"], name?: string): void {
    for (let steps = 0; ; steps += 1) {
      const next = this.follower.request();
      if (next.kind === kind && (name === undefined || (next.kind === "read" && next.name === name))) return;
      if (steps > 50) throw new Error(`no request to ${kind} ${name ?? ""}`);
      this.step();
    }
  }

  /** Goes on until there is nothing to read, or nothing to be found. @returns all lines so far */
  toTheEnd(): string[] {
    for (let quiet = 0, steps = 0; quiet < 4; steps += 1) {
      this.step();
      const { state } = this.follower;
      if (state === "lost" || state === "gone") break;
      quiet = state === "idle" ? quiet + 1 : 0;
      if (steps > 200) throw new Error("it comes to no end");
    }
    return this.lines;
  }

  /** Half of an answer, and then the connection is cut. */
  cut(bytes: number): void {
    const request = this.follower.request();
    if (request.kind !== "read") throw new Error(`a request to ${request.kind}`);
    this.parser.push(utf8(folder!.get(request.name)!).slice(request.place.offset, request.place.offset + bytes));
    this.#take();
    this.follower.interrupted();
  }

  #take(): void {
    if (!this.follower.holding) this.lines.push(...textsOf(this.builder.take()));
  }

  #answer(request: NodeRequest): NodeAnswer {
    if (request.kind === "list") return { kind: "names", names: folder === null ? null : [...folder.keys()] };
    if (request.kind === "wait") return { kind: "waited" };
    const { name, place, limit } = request;
    const text = folder?.get(name);
    if (text === undefined) return { kind: "missing" };
    const bytes = utf8(text);
    const entry = bytes.slice(place.offset - place.entryBytes, place.offset);
    const hash = new Hash64().update(new DataView(entry.buffer), 0, entry.length).hex();
    if (place.offset > bytes.length || (place.offset > 0 && hash !== place.entryHash)) return { kind: "changed" };
    const part = bytes.subarray(place.offset, limit === null ? bytes.length : place.offset + limit);
    this.parser.push(part);
    return { kind: "read", bytes: part.length };
  }
}

beforeEach(() => void (folder = new Map()));

describe("the current file", () => {
  test("is read from its beginning, and what is added to it afterwards", () => {
    write("0.log", "a", "b");
    const reading = new Reading();
    expect(reading.toTheEnd()).toEqual(["a", "b"]);
    write("0.log", "c");
    expect(reading.toTheEnd()).toEqual(["a", "b", "c"]);
    expect(reading.follower.rotatedBeforeStart).toBe(false);
  });

  test("an entry of which half was there comes once", () => {
    folder!.set("0.log", `${entries("a")}${T} stdout F ha`);
    const reading = new Reading();
    expect(reading.toTheEnd.bind(reading)).toThrow("it comes to no end");
    expect(reading.lines).toEqual(["a"]);
    folder!.set("0.log", entries("a", "half"));
    expect(reading.toTheEnd()).toEqual(["a", "half"]);
  });

  test.each([1, 3, 40, 100])("lines of %d KiB come whole, wherever a limit cuts them", (size) => {
    const lines = Array.from({ length: 5 }, (_, index) => `${index}`.repeat(size * KIB));
    write("0.log", ...lines);
    expect(new Reading().toTheEnd()).toEqual(lines);
    rename("0.log", A);
    write("0.log", "next");
    expect(new Reading().toTheEnd()).toEqual([...lines, "next"]);
  });

  test("may be empty, also for ever: then the container has written nothing since", () => {
    write(A, "a");
    folder!.set("0.log", "");
    const reading = new Reading();
    expect(reading.toTheEnd()).toEqual(["a"]);
    for (let turn = 0; turn < 6; turn += 1) {
      reading.step();
      expect(reading.follower.state).toBe("idle");
    }
    write("0.log", "b");
    expect(reading.toTheEnd()).toEqual(["a", "b"]);
  });
});

describe("rotated files", () => {
  test("are read in their order, and told of", () => {
    write(`${A}.gz`, "a");
    write(`${B}.gz`, "b");
    write(C, "c");
    write("0.log", "d");
    const reading = new Reading();
    expect(reading.toTheEnd()).toEqual(["a", "b", "c", "d"]);
    expect(reading.follower.rotatedBeforeStart).toBe(true);
  });

  test("one that is renamed while it is read is finished under its new name", () => {
    write("0.log", "a");
    const reading = new Reading();
    reading.toTheEnd();
    write("0.log", "b");
    rename("0.log", A);
    write("0.log", "c");
    rename(A, `${A}.gz`);
    rename("0.log", B);
    write("0.log", "d");
    expect(reading.toTheEnd()).toEqual(["a", "b", "c", "d"]);
  });

  test("one that is compressed before it is opened is not left out", () => {
    write(`${A}.gz`, "a");
    write(B, "b");
    write("0.log", "c");
    const reading = new Reading();
    reading.upTo("read", B);
    rename(B, `${B}.gz`);
    rename("0.log", C);
    write("0.log", "d");
    expect(reading.toTheEnd()).toEqual(["a", "b", "c", "d"]);
  });

  test("one that is compressed while it is searched for is found", () => {
    write("0.log", "a");
    const reading = new Reading();
    reading.toTheEnd();
    write("0.log", "b");
    rename("0.log", A);
    write("0.log", "c");
    reading.upTo("list");
    reading.step();
    rename(A, `${A}.gz`);
    expect(reading.toTheEnd()).toEqual(["a", "b", "c"]);
  });

  test("what comes late into one is read before the next", () => {
    write("0.log", "a");
    const reading = new Reading();
    reading.toTheEnd();
    rename("0.log", A);
    reading.upTo("wait");
    write(A, "late");
    write("0.log", "b");
    expect(reading.toTheEnd()).toEqual(["a", "late", "b"]);
  });

  test("also what comes when the next one is there already, and empty", () => {
    write("0.log", "a");
    const reading = new Reading();
    reading.toTheEnd();
    rename("0.log", A);
    reading.upTo("wait");
    reading.step();
    reading.upTo("list");
    folder!.set("0.log", "");
    reading.step();
    write(A, "late");
    write("0.log", "b");
    expect(reading.toTheEnd()).toEqual(["a", "late", "b"]);
  });

  test("also what came while nobody looked until another rotation", () => {
    write("0.log", "a");
    const reading = new Reading();
    reading.toTheEnd();
    rename("0.log", A);
    reading.upTo("read", A);
    reading.step();
    reading.upTo("list");
    write(A, "late");
    rename(A, `${A}.gz`);
    write(B, "b");
    write("0.log", "c");
    expect(reading.toTheEnd()).toEqual(["a", "late", "b", "c"]);
  });

  test("a renaming that is undone changes nothing", () => {
    write("0.log", "a");
    const reading = new Reading();
    reading.toTheEnd();
    rename("0.log", A);
    reading.upTo("read", A);
    rename(A, "0.log");
    write("0.log", "b");
    expect(reading.toTheEnd()).toEqual(["a", "b"]);
  });

  test("two that are undone during one search change nothing either", () => {
    write("0.log", "a");
    const reading = new Reading();
    reading.toTheEnd();
    rename("0.log", A);
    reading.upTo("read", A);
    rename(A, "0.log");
    reading.upTo("read", "0.log");
    rename("0.log", B);
    reading.step();
    rename(B, "0.log");
    write("0.log", "b");
    expect(reading.toTheEnd()).toEqual(["a", "b"]);
  });

  test("the current one is dropped again when another was rotated away before it", () => {
    write(A, "a");
    write("0.log", "b");
    const reading = new Reading();
    reading.upTo("read", "0.log");
    rename("0.log", B);
    write("0.log", "c");
    reading.step();
    expect(reading.follower.holding).toBe(true);
    expect(reading.toTheEnd()).toEqual(["a", "b", "c"]);
  });

  test("a line that was begun in one ends in the next", () => {
    folder!.set(A, `${entries("a")}${T} stdout P begin `);
    folder!.set("0.log", `${T} stderr F other\n${T} stdout F end\n`);
    folder!.set(A, `${folder!.get(A)}\n`);
    expect(new Reading().toTheEnd()).toEqual(["a", "other", "begin end"]);
  });
});

describe("what is lost", () => {
  test("is when the place is in no file, and reading goes on with the oldest", () => {
    write("0.log", "a");
    const reading = new Reading();
    reading.toTheEnd();
    folder = new Map();
    write(`${B}.gz`, "c");
    write("0.log", "d");
    reading.toTheEnd();
    expect([reading.follower.state, reading.follower.lossCertain]).toEqual(["lost", false]);
    reading.step();
    expect(reading.follower.state).toBe("lost");
    reading.follower.skipGap();
    expect(reading.toTheEnd()).toEqual(["a", "c", "d"]);
  });

  test("is certain where a line has no end", () => {
    folder!.set("0.log", `${entries("a")}${T} stdout P begin\n`);
    const reading = new Reading();
    reading.toTheEnd();
    folder = new Map([["0.log", `${T} stdout F end\n`]]);
    reading.toTheEnd();
    expect([reading.follower.state, reading.follower.lossCertain]).toEqual(["lost", true]);
    reading.follower.skipGap();
    expect(reading.toTheEnd()).toEqual(["a", "end"]);
  });

  test("may be the beginning, when the first file was renamed before it was read and then removed", () => {
    write("0.log", "a");
    const reading = new Reading();
    reading.upTo("read", "0.log");
    folder = new Map();
    reading.step();
    write("0.log", "b");
    expect(reading.toTheEnd()).toEqual(["b"]);
    expect(reading.follower.rotatedBeforeStart).toBe(true);
  });
});

describe("a folder that is not there", () => {
  test("may come, also without files at first", () => {
    folder = null;
    const reading = new Reading();
    reading.step();
    expect(reading.follower.state).toBe("gone");
    folder = new Map();
    reading.step();
    reading.step();
    expect(reading.follower.state).toBe("gone");
    write("0.log", "a");
    expect(reading.toTheEnd()).toEqual(["a"]);
  });

  test("may come back", () => {
    write(A, "a");
    write("0.log", "b");
    const reading = new Reading();
    reading.toTheEnd();
    const kept = folder;
    rename("0.log", B);
    folder = null;
    reading.toTheEnd();
    expect(reading.follower.state).toBe("gone");
    folder = kept;
    write("0.log", "c");
    expect(reading.toTheEnd()).toEqual(["a", "b", "c"]);
  });
});

describe("an answer that is cut", () => {
  test.each([0, 1, 40, 60, 80])("after %d bytes is asked for again from behind the last whole entry", (bytes) => {
    write(A, "a", "b", "c");
    write("0.log", "d", "e");
    const reading = new Reading();
    reading.upTo("read", A);
    reading.cut(bytes);
    reading.upTo("read", "0.log");
    reading.cut(bytes);
    expect(reading.toTheEnd()).toEqual(["a", "b", "c", "d", "e"]);
    write("0.log", "f", "g");
    reading.cut(bytes);
    expect(reading.toTheEnd()).toEqual(["a", "b", "c", "d", "e", "f", "g"]);
  });
});

describe("a position", () => {
  test("is always one from which the rest can be read, at whatever request it was taken", () => {
    const names = [`${A}.gz`, `${B}.gz`, C, "0.log"];
    for (const [index, name] of names.entries()) write(name, `${index}`, `${index}`.repeat(40 * KIB));
    const expected = new Reading().toTheEnd();
    for (let steps = 0; steps < 25; steps += 1) {
      const first = new Reading();
      for (let step = 0; step < steps; step += 1) first.step();
      const second = new Reading(JSON.parse(JSON.stringify(first.follower.position)) as NodePosition);
      expect([...first.lines, ...second.toTheEnd()]).toEqual(expected);
    }
  });
});
