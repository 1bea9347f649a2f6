import { describe, expect, test } from "vitest";
import { FollowedFiles } from "../../../src/logs/resume/followed-files.ts";

const MEGABYTE = 1_000_000;

/** Of each line of an answer that was opened at 100 whether it jumps. A line is when it was written and when it was received. */
function jumps(lines: readonly (readonly [time: number, receivedAt: number])[], files = opened()): boolean[] {
  return lines.map(([time, receivedAt]) => files.step(time, receivedAt) !== "on");
}

function opened({ written = MEGABYTE, follow = true } = {}): FollowedFiles {
  const files = new FollowedFiles(written);
  files.begin(100, follow);
  return files;
}

/** Written every half second, and received at once. */
const prompt = [0, 1, 2, 3, 4, 5].map((n) => [100 + n / 2, 100.1 + n / 2] as const);

describe("a line far behind the one before", () => {
  test.each<[string, FollowedFiles, [number, number][], boolean]>([
    [
      "may be behind a file that was left out",
      opened(),
      [
        [99, 102],
        [101, 102],
      ],
      true,
    ],
    [
      "is behind it where the log is too short to be rotated",
      opened({ written: 1000 }),
      [
        [99, 102],
        [101, 102],
      ],
      false,
    ],
    [
      "is behind it where the answer does not go through rotations",
      opened({ follow: false }),
      [
        [99, 102],
        [101, 102],
      ],
      false,
    ],
    [
      "is behind it where there was no time for a rotation",
      opened(),
      [
        [90, 101],
        [99, 101],
      ],
      false,
    ],
    [
      "is behind it where the distance is too short",
      opened(),
      [
        [99, 102],
        [100.4, 102],
      ],
      false,
    ],
  ])("%s", (_, files, lines, expected) => {
    expect(jumps(lines, files)).toEqual([false, expected]);
  });

  test("is behind it where the kubelet is seen to wait for lines and is not late", () => {
    const files = opened();
    jumps(prompt, files);
    expect(jumps([[110, 110.1]], files)).toEqual([false]);
    // Late lines: it may be behind by more than a rotation.
    expect(
      jumps(
        [
          [110.1, 115],
          [113, 115],
        ],
        files,
      ),
    ).toEqual([false, true]);
  });

  test("says the more the longer the container has written", () => {
    const files = opened({ written: 0 });
    jumps([[99, 102]], files);
    files.written += MEGABYTE;
    expect(jumps([[101, 102]], files)).toEqual([true]);
  });
});

describe("a line that is earlier", () => {
  test.each<[string, number, boolean]>([
    ["by as much as two writers differ is behind the one before", 98.995, false],
    ["by more may be of a file that is given once more", 98.9, true],
  ])("%s", (_, time, expected) => {
    expect(
      jumps([
        [99, 102],
        [time, 102],
      ]),
    ).toEqual([false, expected]);
  });

  test("than those of the answer before says nothing", () => {
    const files = opened();
    jumps([[99, 102]], files);
    files.begin(103, true);
    expect(jumps([[90, 105]], files)).toEqual([false]);
  });
});

describe("silence", () => {
  test("may be the kubelet's until lines have come that it waited for, through more than a file's last writes", () => {
    const files = opened();
    expect(files.mayBeStuck).toBe(true);
    jumps(prompt.slice(0, 4), files);
    expect(files.mayBeStuck).toBe(true);
    jumps(prompt.slice(4), files);
    expect(files.mayBeStuck).toBe(false);
    files.begin(200, true);
    expect(files.mayBeStuck).toBe(true);
  });

  test.each<[string, (readonly [number, number])[]]>([
    ["lines come without a pause", Array.from({ length: 50 }, (_, n) => [100 + n / 20, 100 + n / 20] as const)],
    ["late lines come in bursts", prompt.map(([time, at]) => [time - 2, at] as const)],
    ["lines with pauses come all at once", prompt.map(([time]) => [time, 105] as const)],
  ])("may be the kubelet's while %s", (_, lines) => {
    const files = opened();
    jumps(lines, files);
    expect(files.mayBeStuck).toBe(true);
  });

  test.each<[string, { written?: number; follow?: boolean }]>([
    ["the log is too short to be rotated", { written: 1000 }],
    ["the answer does not go through rotations", { follow: false }],
  ])("is the container's where %s", (_, options) => {
    expect(opened(options).mayBeStuck).toBe(false);
  });
});
