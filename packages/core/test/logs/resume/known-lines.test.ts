import fc from "fast-check";
import { expect, test } from "vitest";
import { Hash64, Marks, markLines, parseInstant, PodLogResume, type Chunk } from "../../../src/index.ts";
import { concat, utf8 } from "../model/bytes.ts";
import { inPieces, newBuilder } from "../support.ts";

const PIECE = 16_384;
const MIB = 1024 * 1024;

/** Lines as the API gives them, among them long ones with others glued into them. */
const line = fc.oneof(
  { weight: 5, arbitrary: fc.stringMatching(/^[ -~]{0,30}$/) },
  { weight: 2, arbitrary: fc.constantFrom('time="2026-11-23T16:22:29Z" level=info msg="x"', '{"level":"info"}', "") },
  fc.nat(9).map((size) => "l".repeat(PIECE + size)),
  {
    weight: 3,
    arbitrary: fc.nat(9).map((size) => `${"g".repeat(PIECE)}time="2026-11-23T16:22:29Z" level=info ${size}`),
  },
  fc.nat(2).map((size) => "m".repeat(MIB - 1 + size)),
);
const nanos = fc.integer({ min: 0, max: 3_000_000_000 });

/** Time and text of what the log API gives. */
type Given = [time: bigint, text: string];

function answer(lines: readonly Given[]): Uint8Array {
  return concat(
    lines.map(([time, text]) => {
      const second = new Date(Number(time / 1_000_000n)).toISOString().slice(0, 19);
      return utf8(`${second}.${String(time % 1_000_000_000n).padStart(9, "0")}Z ${text}\n`);
    }),
  );
}

test("the marks of stored lines are those of the lines that the API gave", () => {
  const begin = parseInstant("2026-11-23T16:22:29Z")!;
  fc.assert(
    fc.property(
      fc.array(fc.tuple(nanos, line), { maxLength: 15 }),
      fc.integer({ min: 500, max: 2 * MIB }),
      (list, size) => {
        const given = list.map(([offset, text]): Given => [begin + BigInt(offset), text]);
        const builder = newBuilder(false);
        const chunks: Chunk[] = [];
        const take = (): void => {
          const chunk = builder.take();
          if (chunk !== null) chunks.push({ ...chunk, payload: chunk.payload.slice() });
        };
        const resume = new PodLogResume(builder, new Marks(), 0, take);
        resume.begin(resume.ask(true), 0);
        inPieces(answer(given), [size], (piece) => {
          resume.push(piece, 0);
          if (size % 3 === 0) take();
        });
        resume.end(true);
        take();
        const marks = new Marks();
        for (const chunk of chunks) markLines(marks, chunk);
        // A line longer than may be is several.
        const expected = given.flatMap(([time, text]): Given[] =>
          text.length > MIB
            ? [
                [time, text.slice(0, MIB)],
                [time, text.slice(MIB)],
              ]
            : [[time, text]],
        );
        expect(marks.length).toBe(expected.length);
        const hash = new Hash64();
        for (const [index, [time, text]] of expected.entries()) {
          const { high, low } = hash.update(new DataView(utf8(text).buffer), 0, text.length);
          const [seconds, rest] = [Number(time / 1_000_000_000n), Number(time % 1_000_000_000n)];
          expect(marks.is(index, { seconds, nanos: rest, high, low })).toBe(true);
        }
        // So the same answer is all known.
        const again = new PodLogResume(newBuilder(false), marks, 0, () => undefined);
        again.begin({ sinceSeconds: null, follow: false }, 0);
        again.push(answer(given), 0);
        again.end(true);
        expect([again.verdict, again.fresh]).toEqual(["fits", 0]);
      },
    ),
    { numRuns: 150 },
  );
});
