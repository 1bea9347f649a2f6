import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { Marks, markLines, PodLogResume, type ChunkBuilder } from "../../../src/index.ts";
import { utf8 } from "../model/bytes.ts";
import { inPieces, linesOf, newBuilder, textsOf } from "../support.ts";

const PIECE = 16_384;
const SECOND = Date.parse("2026-11-23T16:22:29Z") / 1000;
/** All lines were written long before. */
const LATER = SECOND + 60;
const UNABLE = "unable to retrieve container logs for containerd://5d0c";

/** A line at `29.5`, say, as the API gives it. */
function at(second: number, text: string): string {
  const nanos = Math.round(second * 1e9);
  const [whole, rest] = [Math.floor(nanos / 1e9), nanos % 1e9];
  return `2026-11-23T16:22:${String(whole).padStart(2, "0")}.${String(rest).padStart(9, "0")}Z ${text}\n`;
}

/** Reads answers one after the other. */
class Reading {
  readonly builder: ChunkBuilder = newBuilder(false);
  readonly resume: PodLogResume;

  constructor(known = new Marks()) {
    this.resume = new PodLogResume(this.builder, known, Infinity, () => undefined);
  }

  /** One whole answer to what is to be asked for. @returns the verdict and the new lines */
  answer(body: string, { final = false, now = LATER }: { final?: boolean; now?: number } = {}): [string, string[]] {
    this.resume.begin(this.resume.ask(true), now);
    this.resume.push(utf8(body), now);
    return this.#end(final);
  }

  behindGap(body: string): [string, string[]] {
    this.resume.beginBehindGap(LATER, true);
    this.resume.push(utf8(body), LATER);
    return this.#end(false);
  }

  #end(final: boolean): [string, string[]] {
    this.resume.end(final);
    return [this.resume.verdict, textsOf(this.builder.take())];
  }
}

/** A reading that knows these lines. */
function knowing(...lines: string[]): Reading {
  const reading = new Reading();
  expect(reading.answer(lines.join(""))[0]).toBe("fits");
  return reading;
}

describe("what is asked for", () => {
  test("everything at first, then from two seconds before the last line on", () => {
    const reading = new Reading();
    expect(reading.resume.ask(true)).toEqual({ sinceSeconds: null, follow: true });
    reading.answer(at(29.999999999, "a"));
    expect(reading.resume.ask(true)).toEqual({ sinceSeconds: SECOND - 2, follow: true });
    reading.answer(at(29.999999999, "a") + at(30, "b"));
    expect(reading.resume.ask(true)).toEqual({ sinceSeconds: SECOND - 1, follow: true });
  });

  test("everything behind a gap, until a line came", () => {
    const reading = knowing(at(29, "a"));
    expect(reading.behindGap("")).toEqual(["fits", []]);
    expect(reading.resume.ask(true)).toEqual({ sinceSeconds: null, follow: true });
    expect(reading.resume.blank).toBe(true);
    expect(reading.behindGap(at(40, "b"))).toEqual(["fits", ["b"]]);
    expect(reading.resume.ask(true)).toEqual({ sinceSeconds: SECOND + 9, follow: true });
  });
});

describe("an answer that overlaps", () => {
  test.each<[string, string, string[]]>([
    ["the same and more", at(29, "a") + at(29, "b") + at(29, "c"), ["c"]],
    ["lines like those that are known, at another time", at(29, "a") + at(29, "b") + at(29.1, "b"), ["b"]],
    ["lines like those that are known, at the same time", at(29, "a") + at(29, "b") + at(29, "b"), ["b"]],
    ["only its end", at(29, "b") + at(30, "c"), ["c"]],
    ["half a line behind it", `${at(29, "a")}${at(29, "b")}2026-11-23T16:22:30.1Z hal`, []],
    ["half a time behind it", `${at(29, "a")}${at(29, "b")}2026-11-2`, []],
    ["less than is known", at(29, "a"), []],
    ["nothing", "", []],
    ["rests of filtered lines at its head", `rest\n\n${at(29, "a")}${at(29, "b")}${at(30, "c")}`, ["c"]],
    [
      "another offset",
      "2026-11-23T18:22:29.000000000+02:00 a\n2026-11-23T18:22:29+02:00 b\n2026-11-23T18:22:30+02:00 c\n",
      ["c"],
    ],
  ])("%s", (_, body, expected) => {
    expect(knowing(at(29, "a"), at(29, "b")).answer(body)).toEqual(["fits", expected]);
  });

  test("a line is given as soon as its newline has come, however the bytes come", () => {
    const body = at(29, "a") + at(29.2, "b\0\r") + at(30, "");
    for (const size of [1, 7, 1000]) {
      const reading = knowing(at(29, "a"));
      reading.resume.begin(reading.resume.ask(true), LATER);
      inPieces(utf8(body), [size], (piece) => reading.resume.push(piece, LATER));
      expect(reading.resume.fresh).toBe(2);
      expect(textsOf(reading.builder.take())).toEqual(["b\0\r", ""]);
    }
  });
});

describe("a gap", () => {
  test.each([
    ["other lines", at(40, "x") + at(41, "y")],
    ["an unknown line among known ones", at(29, "a") + at(29.1, "x") + at(29.2, "b")],
    ["known bytes at other times", at(29.1, "a") + at(29.3, "b")],
    ["known times of other bytes", at(29, "x") + at(29.2, "y")],
  ])("%s", (_, body) => {
    expect(knowing(at(29, "a"), at(29.2, "b")).answer(body)).toEqual(["gap", []]);
  });

  test("is no longer one when all lines are compared", () => {
    const lines = [at(29, "a"), at(30, "b"), at(35, "c")];
    const reading = new Reading(marksOf(at(35, "c")));
    // A late line of another standard stream, older than the newest marks.
    expect(reading.answer(at(35, "c") + at(33.9, "d"))).toEqual(["fits", ["d"]]);
    expect(reading.answer(lines.join("") + at(33.9, "d") + at(36, "e"))).toEqual(["gap", []]);
    reading.resume.begin({ sinceSeconds: null, follow: false }, LATER, marksOf(...lines, at(33.9, "d")));
    reading.resume.push(utf8(lines.join("") + at(33.9, "d") + at(36, "e")), LATER);
    reading.resume.end(false);
    expect([reading.resume.verdict, reading.resume.aligned]).toEqual(["fits", true]);
    expect(textsOf(reading.builder.take())).toEqual(["e"]);
    // And they stay known.
    expect(reading.answer(at(35, "c") + at(36, "e") + at(36.1, "f"))).toEqual(["fits", ["f"]]);
  });
});

describe("an answer in which the kubelet has glued other lines together, because it left some out", () => {
  const first = "x".repeat(PIECE);
  /** stderr is a moment behind, so that one of its lines belongs to the second before, and is in the middle of another. */
  const lines = [at(29, "a"), at(29, `${first}stderr`), at(29.1, "end"), at(31, "c")];
  const filtered = `${at(29, "a")}${at(29, first).trimEnd()}${at(29.1, "end")}${at(31, "c")}`;

  test("is asked for from further back, once all lines were compared", () => {
    const reading = knowing(...lines);
    expect(reading.resume.ask(true)).toEqual({ sinceSeconds: SECOND, follow: true });
    expect(reading.answer(filtered)).toEqual(["gap", []]);
    reading.resume.begin({ sinceSeconds: null, follow: false }, LATER, marksOf(...lines));
    reading.resume.push(utf8(lines.join("")), LATER);
    reading.resume.end(false);
    expect([reading.resume.verdict, reading.resume.aligned]).toEqual(["fits", true]);
    expect(reading.resume.ask(true)).toEqual({ sinceSeconds: SECOND - 1, follow: true });
    expect(reading.answer(lines.join(""))).toEqual(["fits", []]);
    expect(reading.resume.ask(true)).toEqual({ sinceSeconds: SECOND - 1, follow: true });
    expect(reading.answer(lines.join("") + at(32, "d"))).toEqual(["fits", ["d"]]);
    expect(reading.resume.ask(true)).toEqual({ sinceSeconds: SECOND + 1, follow: true });
  });
});

describe("a file that begins inside a line", () => {
  const long = "x".repeat(PIECE);

  test("of any length, when known lines are behind it", () => {
    const reading = knowing(at(29, "begin end"), at(29.2, "b"));
    expect(reading.answer(at(29.1, " end") + at(29.2, "b") + at(29.3, "c"))).toEqual(["fits", ["c"]]);
    expect(reading.resume.headRests).toBe(1);
  });

  test("which is older than what is compared", () => {
    const reading = knowing(at(25.9, "begin end"), at(29, "b"));
    expect(reading.answer(at(27.5, " end") + at(29, "b") + at(29.3, "c"))).toEqual(["fits", ["c"]]);
  });

  test("that was cut into pieces, and is the last one", () => {
    const reading = knowing(at(29, `${long}end`));
    expect(reading.answer(at(29.1, "end"))).toEqual(["fits", []]);
    expect(reading.resume.aligned).toBe(true);
    expect(reading.answer(at(29.1, "end") + at(29.2, "b"))).toEqual(["fits", ["b"]]);
    expect(reading.resume.headRests).toBe(1);
  });

  test("whose end is itself longer than a line may be", () => {
    const end = "e".repeat(1024 * 1024 + 5);
    const reading = knowing(at(29, `begin${end}`), at(29.2, "b"));
    expect(reading.answer(at(29.1, end) + at(29.2, "b") + at(29.3, "c"))).toEqual(["fits", ["c"]]);
  });

  test("is counted once, however often it is read", () => {
    const reading = knowing(at(29, "begin end"), at(29.2, "b"));
    for (let turn = 0; turn < 3; turn += 1) reading.answer(at(29.1, " end") + at(29.2, "b"));
    expect(reading.resume.headRests).toBe(1);
  });

  test("is a gap where only its text speaks for it: k6's lines end alike", () => {
    const reading = knowing(at(29, '{"level":"info","msg":"1","time":"2026-11-23T16:22:29Z"}'));
    expect(reading.answer(at(29.5, ':29Z"}') + at(29.6, "b"))).toEqual(["gap", []]);
  });
});

describe("marks", () => {
  test("are kept for as long as they may be asked for, when times go back over a second", () => {
    const lines = [at(28.5, "a"), at(28.6, "b"), at(30.1, "c"), at(31.01, "stdout")];
    const reading = knowing(...lines);
    reading.resume.trim();
    expect(reading.answer(lines.slice(2).join("") + at(30.99, "stderr"))).toEqual(["fits", ["stderr"]]);
    reading.resume.trim();
    expect(reading.resume.ask(true)).toEqual({ sinceSeconds: SECOND - 1, follow: true });
    expect(reading.answer(lines.join("") + at(30.99, "stderr"))).toEqual(["fits", []]);
  });

  test("are not dropped while they are compared", () => {
    const lines = [at(10, "a"), at(20, "b"), at(30, "c")];
    const reading = new Reading();
    reading.answer(lines.join(""));
    reading.resume.begin({ sinceSeconds: null, follow: false }, LATER, marksOf(...lines));
    for (const line of [...lines, at(31, "d")]) {
      reading.resume.push(utf8(line), LATER);
      reading.resume.trim();
    }
    expect([reading.resume.verdict, reading.resume.fresh]).toEqual(["fits", 1]);
  });
});

describe("the kubelet's words", () => {
  test.each<[string, string, string]>([
    ["alone, where nothing is known", "", UNABLE],
    ["alone", at(29, "a"), UNABLE],
    ["with a newline", at(29, "a"), `${UNABLE}\n`],
    ["behind known lines", at(29, "a"), at(29, "a") + UNABLE],
    ["behind new lines", at(29, "a"), `${at(29, "a")}${at(30, "b")}anything without a time`],
    ["behind the rest of a line", at(29, "a"), `rest\n${UNABLE}`],
  ])("%s", (_, before, body) => {
    const reading = knowing(before);
    expect(reading.answer(body)[0]).toBe("diagnostic");
    expect(body).toContain(reading.resume.diagnostic);
  });

  test("are a container's where lines follow them before the place is found", () => {
    const reading = knowing(at(29, "a"));
    expect(reading.answer(`${UNABLE}\n${at(29, "a")}${at(30, "b")}`)).toEqual(["fits", ["b"]]);
    expect(reading.resume.diagnostic).toBeNull();
  });

  test("are a container's with a time before them", () => {
    expect(new Reading().answer(at(29, UNABLE))).toEqual(["fits", [UNABLE]]);
  });

  test("are never stored, also when the container has ended", () => {
    expect(knowing(at(29, "a")).answer(at(29, "a") + UNABLE, { final: true })).toEqual(["diagnostic", []]);
  });
});

describe("a followed answer", () => {
  /** Opened when the first line was written; the lines come all at once, late. */
  function following(...lines: string[]): Reading {
    const reading = new Reading();
    reading.resume.begin(reading.resume.ask(true), SECOND);
    reading.resume.push(utf8(lines.join("")), SECOND + 30);
    reading.resume.end(false);
    return reading;
  }

  test("is asked for again where files may have been left out", () => {
    const reading = following(at(29, "a"), at(30, "b"), at(33, "c"));
    expect([reading.resume.verdict, textsOf(reading.builder.take())]).toEqual(["jump", ["a"]]);
    // Asked again, it comes from one file.
    const again = reading.answer(at(29, "a") + at(30, "b") + at(33, "c"), { now: SECOND + 31 });
    expect(again).toEqual(["fits", ["b", "c"]]);
  });

  test("does not glue the front of a line to the rest of another one, where files were left out between", () => {
    const reading = following(at(29, "a"), at(30, "front of brest of y"), at(33, "z"));
    expect([reading.resume.verdict, textsOf(reading.builder.take())]).toEqual(["jump", ["a"]]);
    expect(reading.answer(at(32.9, "rest of y") + at(33, "z"), { now: SECOND + 31 })).toEqual(["gap", []]);
    reading.resume.beginBehindGap(SECOND + 31, true);
    reading.resume.push(utf8(at(32.9, "rest of y") + at(33, "z")), SECOND + 31);
    expect(textsOf(reading.builder.take())).toEqual(["rest of y", "z"]);
  });

  test("asks again for a late line behind which there is silence", () => {
    const reading = new Reading();
    const prompt = [30, 31, 32, 33].map((second) => at(second, "prompt"));
    reading.resume.begin(reading.resume.ask(true), SECOND);
    // It has waited for lines, so it hears of the next file, and its silence is the container's.
    for (const [index, line] of prompt.entries()) reading.resume.push(utf8(line), SECOND + 1 + index);
    expect(reading.resume.mayBeStuck).toBe(false);
    reading.resume.push(utf8(at(34, "late")), SECOND + 8);
    expect([textsOf(reading.builder.take()).length, reading.resume.mayBeStuck]).toEqual([4, true]);
    reading.resume.end(false);
    reading.resume.begin(reading.resume.ask(true), SECOND + 10);
    reading.resume.push(utf8([...prompt.slice(2), at(34, "late")].join("")), SECOND + 10.1);
    expect(textsOf(reading.builder.take())).toEqual(["late"]);
  });

  test.each<[string, string[], string[]]>([
    ["with its first line", [at(29, "a")], ["a"]],
    ["behind the rest of a line", [at(29.5, "rest"), at(30, "b")], ["a", "b"]],
  ])("is asked for again where a file begins once more %s", (_, lines, kept) => {
    const reading = following(at(29, "a"), at(30, "b"), ...lines);
    expect([reading.resume.verdict, textsOf(reading.builder.take())]).toEqual(["jump", kept]);
  });

  test("is asked for again where a line is earlier than what is known", () => {
    const lines = ["a", "b", "c", "d", "e"].map((text, index) => at(29 + index, text));
    const reading = following(...lines, at(29.5, "f"));
    expect([reading.resume.verdict, textsOf(reading.builder.take())]).toEqual(["jump", ["a", "b", "c", "d"]]);
  });

  test.each([0.005, 0.05, 1])("goes on where a new line is earlier than the one before by %f s", (seconds) => {
    const reading = following(at(31, "a"), at(32, "b"), at(32 - seconds, "c"), at(32.1, "d"), at(32.2, "e"));
    expect([reading.resume.verdict, textsOf(reading.builder.take())]).toEqual(["fits", ["a", "b", "c", "d"]]);
  });
});

describe("lines that were glued", () => {
  const piece = "x".repeat(PIECE);
  const k6 = 'time="2026-11-23T16:22:29Z" level=info msg="glued"';

  test("are taken apart, the one that ended first before the other", () => {
    const reading = new Reading();
    expect(reading.answer(at(29, piece + k6) + at(29.5, "end"))).toEqual(["fits", [k6, `${piece}end`]]);
    expect(reading.resume.unglued).toBe(1);
    expect(reading.answer(at(29, piece + k6) + at(29.5, "end") + at(30, "next"))).toEqual(["fits", ["next"]]);
  });

  test("wait for the line behind them", () => {
    const reading = new Reading();
    expect(reading.answer(at(29, piece + k6))).toEqual(["fits", []]);
    expect(reading.answer(at(29, piece + k6) + at(29.1, k6))).toEqual(["fits", [piece + k6, k6]]);
    expect(reading.resume.unglued).toBe(0);
  });

  test("are kept as they are at the end", () => {
    expect(new Reading().answer(at(29, piece + k6), { final: true })).toEqual(["fits", [piece + k6]]);
  });
});

describe("the end of the output", () => {
  test("has no newline, and that is known afterwards", () => {
    const reading = knowing(at(29, "a"));
    const body = `${at(29, "a")}${at(30, "no newline").trimEnd()}`;
    expect(reading.answer(body)).toEqual(["fits", []]);
    reading.resume.begin(reading.resume.ask(true), LATER);
    reading.resume.push(utf8(body), LATER);
    reading.resume.end(true);
    expect(linesOf(reading.builder.take())).toMatchObject([{ text: "no newline", unfinished: true }]);
    expect(reading.answer(body, { final: true })).toEqual(["fits", []]);
    expect(reading.resume.aligned).toBe(true);
  });

  test.each([
    ["the last known line", "no newline", true, "fits"],
    ["another one", "no newlines", false, "gap"],
  ])("is matched before it is a line: %s", (_, text, aligned, verdict) => {
    const known = new Reading();
    const first = at(29, "a");
    known.answer(`${first}${at(30, "no newline").trimEnd()}`, { final: true });
    const { resume } = known;
    resume.begin(resume.ask(false), LATER);
    resume.push(utf8(`${first}${at(30, text).trimEnd()}`), LATER);
    expect(resume.aligned).toBe(false);
    resume.matchRest();
    expect([resume.aligned, resume.verdict, resume.fresh]).toEqual([aligned, verdict, 0]);
    resume.end(true);
    expect(known.builder.lines).toBe(0);
  });

  test("is not what a cut has left of a line", () => {
    expect(new Reading().answer("2026-11-23T16:22:29.5", { final: true })[1]).toEqual([]);
  });
});

test("recorded answers are read to their last byte", () => {
  const file = readFileSync(new URL("../../fixtures/log-api/responses.jsonl", import.meta.url), "utf8");
  const answers = file
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as { id: string; status: number; body: string });
  // One of them was cut in the middle of a time.
  const logs = answers.filter(
    ({ id, status, body }) => status === 200 && /^\d{4}-/.test(body) && id !== "long-limit-50",
  );
  expect(logs.length).toBeGreaterThan(10);
  for (const { id, body } of logs) {
    const builder = newBuilder(false);
    const resume = new PodLogResume(builder, new Marks(), 0, () => undefined);
    resume.begin(resume.ask(true), LATER);
    resume.push(utf8(body), LATER);
    resume.end(true);
    const lines = linesOf(builder.take());
    const text = lines
      .map((line) => Buffer.from(line.text, "latin1").toString() + (line.unfinished ? "" : "\n"))
      .join("");
    expect([id, text]).toEqual([id, body.replaceAll(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z /gm, "")]);
  }
});

/** The marks of lines as the API gives them. */
function marksOf(...lines: string[]): Marks {
  const builder = newBuilder(false);
  const resume = new PodLogResume(builder, new Marks(), 0, () => undefined);
  resume.begin(resume.ask(true), LATER);
  resume.push(utf8(lines.join("")), LATER);
  const marks = new Marks();
  markLines(marks, builder.take()!);
  return marks;
}
