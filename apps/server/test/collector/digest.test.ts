import { createHash } from "node:crypto";
import { ChunkBuilder, UNFINISHED, type Chunk } from "@tailrace/core";
import fc from "fast-check";
import { expect, test } from "vitest";
import { ChunkBuffers } from "../../src/collector/buffers.ts";
import { OutputDigest } from "../../src/collector/digest.ts";

interface Line {
  text: string;
  /** It has no newline of its own. */
  unfinished: boolean;
}

const line: fc.Arbitrary<Line> = fc.record({
  text: fc.string({ maxLength: 20, unit: fc.constantFrom("a", "ä", " ", "=") }),
  unfinished: fc.nat(9).map((one) => one === 0),
});

function chunkOf(lines: readonly Line[], firstSeq: number): Chunk {
  const options = { nextSeq: firstSeq, priorTime: null, standardStreams: true };
  const builder = new ChunkBuilder(new ChunkBuffers(), options);
  for (const { text, unfinished } of lines) {
    const bytes = Buffer.from(text);
    builder.reserve(bytes.length);
    builder.bytes.set(bytes, builder.end);
    builder.line(builder.end + bytes.length, 1_764_000_000, 0, unfinished ? UNFINISHED : 0);
  }
  return builder.take()!;
}

test("an OutputDigest is that of what the container wrote, however it lies in chunks, without the lines left out", () => {
  const chunks = fc.array(fc.array(line, { minLength: 1, maxLength: 8 }), { minLength: 1, maxLength: 5 });
  fc.assert(
    fc.property(chunks, fc.nat(7), (groups, skipped) => {
      const skip = Math.min(skipped, groups[0]!.length);
      const digest = new OutputDigest();
      let seq = 0;
      for (const [index, group] of groups.entries()) {
        digest.add(chunkOf(group, seq), index === 0 ? skip : 0);
        seq += group.length;
      }
      const counted = groups.flat().slice(skip);
      const output = Buffer.from(counted.map(({ text, unfinished }) => (unfinished ? text : `${text}\n`)).join(""));
      expect(digest.result()).toEqual({
        lines: counted.length,
        bytes: output.length,
        sha256: createHash("sha256").update(output).digest("hex"),
      });
    }),
  );
});
