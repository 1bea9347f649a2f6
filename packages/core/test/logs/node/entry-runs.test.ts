import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Chunk, CHUNK_BYTES } from "../../../src/index.ts";
import { entryRuns } from "../../../src/logs/node/entry-runs.ts";
import { StampReader } from "../../../src/logs/lines/stamp.ts";
import { utf8 } from "../model/bytes.ts";
import { linesOf, readFile, type ReadFile } from "../support.ts";

const SECOND = "2026-11-23T16:22:29";

const texts = fc.oneof(
  fc.string({ unit: "binary-ascii", maxLength: 120 }).map((text) => text.replaceAll("\n", " ")),
  fc
    .constantFrom("trace", "debug", "info", "warning", "error", "fatal", "panic", "other")
    .chain((level) =>
      fc.constantFrom(
        `time="${SECOND}Z" level=${level} msg="a message of some length" source=console`,
        `{"level":"${level}","msg":"text","time":"${SECOND}Z"}`,
        `{"msg":"text","level":"${level}"} and behind it something more`,
        `level=${level}`,
        `a message, level=${level.slice(0, 2)}`,
        `a message, level=${level.slice(0, 3)}`,
        `${"x".repeat(240)} level=${level} y`,
        `${"x".repeat(250)} level=${level} y`,
      ),
    ),
  fc.constantFrom("", "\0", "\r", "x".repeat(15), "x".repeat(16), "x".repeat(17), "é".repeat(40), "z".repeat(3000)),
);

/** What nearly all are, with times forward and back. */
const usual = fc
  .record({ nanos: fc.integer({ min: 1, max: 999_999_999 }), stderr: fc.boolean(), text: texts })
  .map(({ nanos, stderr, text }) => {
    const fraction = String(nanos).padStart(9, "0").replace(/0+$/, "");
    return `${SECOND}.${fraction}Z ${stderr ? "stderr" : "stdout"} F ${text}\n`;
  });

const others = fc.oneof(
  texts.map((text) => `${text}\n`),
  fc
    .tuple(
      fc.constantFrom(
        SECOND,
        "2026-11-23T16:22:30",
        "2026-11-23T18:22:29",
        "2026-13-23T16:22:29",
        "2027-01-01T00:00:00",
      ),
      fc.constantFrom("", ".", ".1", ".123456789", ".1234567890", ".12x", "+05", "+05.1", "Z.1"),
      fc.constantFrom("Z", "+02:00", "-00:00", "+00:00", "z", ""),
      fc.constantFrom(" stdout", " stderr", " stdlog", "  stdout", " stdouts", ""),
      fc.constantFrom(" F ", " P ", " P:x ", " F:y:z ", " X ", " F", " F  ", " FF "),
      texts,
    )
    .map((parts) => `${parts.join("")}\n`),
);

const files = fc
  .array(fc.oneof({ weight: 12, arbitrary: usual }, { weight: 1, arbitrary: others }), {
    minLength: 20,
    maxLength: 150,
  })
  .map((entries) => utf8(entries.join("")));

function everything({ parser, builder, full }: ReadFile): unknown {
  const { place, pending, malformed } = parser;
  parser.finish();
  const chunks = [...full, builder.take()].flatMap((chunk: Chunk | null) =>
    chunk === null ? [] : [{ ...chunk, payload: Buffer.from(chunk.payload).toString("latin1") }],
  );
  return { place, pending, malformed, chunks };
}

/** So small pieces are read entry by entry. */
const SMALL = [700, 1, 333];

describe("runs of entries", () => {
  test("are what the parser would have read, wherever they are broken off", () => {
    fc.assert(
      fc.property(files, fc.array(fc.integer({ min: 1024, max: 20_000 }), { maxLength: 3 }), (file, sizes) => {
        expect(everything(readFile(file, { sizes }))).toEqual(everything(readFile(file, { sizes: SMALL })));
      }),
      { numRuns: 300 },
    );
  });

  test("are what the parser would have read where bytes are damaged", () => {
    const damage = fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 }));
    fc.assert(
      fc.property(files, fc.array(damage, { minLength: 1, maxLength: 8 }), (file, damages) => {
        for (const [at, byte] of damages) file[at % file.length] = byte;
        expect(everything(readFile(file))).toEqual(everything(readFile(file, { sizes: SMALL })));
      }),
      { numRuns: 300 },
    );
  });

  test("are read behind a line that was longer than the memory for them", () => {
    const entry = (text: string): string => `${SECOND}.5Z stdout F ${text}\n`;
    const file = utf8([300_000, 10, 2000, 2000, 2000, 10].map((size) => entry("x".repeat(size))).join(""));
    expect(everything(readFile(file, { sizes: [1500] }))).toEqual(everything(readFile(file, { sizes: SMALL })));
  });

  test("end where one line has filled the chunk by far", () => {
    const entry = (text: string): string => `${SECOND}.5Z stdout F ${text}\n`;
    const sizes = [...Array<number>(8000).fill(127), 300_000, ...Array<number>(200).fill(40)];
    const file = utf8(sizes.map((size) => entry("x".repeat(size))).join(""));
    const read = everything(readFile(file, { sizes: [16_384] }));
    expect(read).toEqual(everything(readFile(file, { sizes: SMALL })));
  });

  test("have the second of the line before, whatever the entries of that one said", () => {
    const usual = Array.from({ length: 40 }, (_, n) => `${SECOND}.${n + 1}Z stdout F ${"x".repeat(30)}\n`);
    const file = utf8([`${SECOND}.1Z stdout P a\n`, `${SECOND}.2+02:00 stdout F b\n`, ...usual, "no entry\n"].join(""));
    expect(everything(readFile(file))).toEqual(everything(readFile(file, { sizes: SMALL })));
  });

  test.each([
    ["some bytes over", (n: number) => `n=${n} ${"x".repeat(n % 300)}`],
    ["to the byte", (n: number) => `n=${n} `.padEnd(127, "x")],
  ])("end where a chunk is full, %s, as the parser's do", (_, text) => {
    const fraction = (n: number): string => String((n * 7919) % 999_999_999).padStart(9, "0");
    const entries = Array.from({ length: 9000 }, (_, n) => `${SECOND}.${fraction(n)}Z stdout F ${text(n)}\n`);
    const file = utf8(entries.join(""));
    const read = everything(readFile(file, { sizes: [16_384] })) as { chunks: Chunk[] };
    expect(read).toEqual(everything(readFile(file, { sizes: SMALL })));
    expect(read.chunks[0]!.lineBytes).toBeGreaterThanOrEqual(CHUNK_BYTES);
    expect(read.chunks).toHaveLength(2);
  });

  test("take all usual entries of a second at once, and nothing of an entry whose end has not come", () => {
    const text = (n: number): string => `time="${SECOND}Z" level=info msg="${n}" source=console`;
    const whole = Array.from({ length: 200 }, (_, n) => `${SECOND}.${n + 1}Z stdout F ${text(n)}\n`).join("");
    const input = utf8(`${whole}${SECOND}.5Z stdout F ${"the beginning of a line ".repeat(4)}`);
    const stamp = new StampReader();
    expect(stamp.read(new DataView(input.buffer), 0, 64)).toBe(true);
    const runs = entryRuns();
    runs.load(input);
    const run = runs.read(0, input.length, CHUNK_BYTES, stamp.second, 0)!;
    expect([run.lines, run.next]).toEqual([200, whole.length]);
    expect(input.slice(run.lastStart, run.next)).toEqual(utf8(`${SECOND}.200Z stdout F ${text(199)}\n`));
    expect(Buffer.from(run.bytes).toString()).toBe(Array.from({ length: 200 }, (_, n) => `${text(n)}\n`).join(""));
    expect(linesOf(readFile(input).builder.take())).toHaveLength(200);
    expect(runs.read(run.next, input.length, CHUNK_BYTES, stamp.second, 0)).toBeNull();
    // What was there before still has the newline.
    runs.load(input.subarray(0, whole.length - 1));
    expect(runs.read(0, whole.length - 1, CHUNK_BYTES, stamp.second, 0)!.lines).toBe(199);
  });
});
