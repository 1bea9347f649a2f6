import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { describeGap, formatContainerLogs, parseContainerLogs, type ContainerSection } from "../src/index.ts";

const name = fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?$/);
const headerLike = fc.oneof(
  name.map((pod) => `=== Container: ${pod} ===`),
  name.map((pod) => `\\=== Container: ${pod} (ERROR) ===`),
  fc.constantFrom(
    "=== Container: ",
    "\\\\=== Container: x",
    "=== Container: x ===\r",
    "=== Gap: none ===",
    "\\=== Gap: x",
    "",
    "\\",
    " ",
  ),
);
const line = fc.oneof(
  headerLike,
  fc.string({ unit: "binary", maxLength: 30 }).map((text) => text.replaceAll("\n", "")),
);
const lines = fc.array(line, { maxLength: 6 });
const title = fc.record({ pod: name, container: fc.option(name), restart: fc.nat(12) });
const anySection: fc.Arbitrary<ContainerSection> = fc.oneof(
  fc.record({ title, lines, state: fc.constantFrom("log" as const, "truncated" as const) }).map((part) => ({
    ...part.title,
    state: part.state,
    reason: null,
    lines: part.lines,
  })),
  fc
    .record({ title, lines, reason: line, state: fc.constantFrom("waiting" as const, "error" as const) })
    .map((part) => ({
      ...part.title,
      state: part.state,
      reason: part.reason,
      lines: part.lines,
    })),
);

const gaps = fc.array(fc.record({ at: fc.nat(6), text: line }), { maxLength: 3 });
const section = fc.tuple(anySection, gaps).map(([part, places]): ContainerSection => {
  if (places.length === 0) return part;
  const inside = places.map(({ at, text }) => ({ before: Math.min(at, part.lines.length), text }));
  return { ...part, gaps: inside.toSorted((a, b) => a.before - b.before) };
});

function log(pod: string, ...content: string[]): ContainerSection {
  return { pod, container: null, restart: 0, state: "log", reason: null, lines: content };
}

describe("formatContainerLogs", () => {
  test("writes headers, lines and a blank line between containers", () => {
    const text = formatContainerLogs([
      log("run-initializer-x", "{", "}"),
      { ...log("run-1-a"), container: "k6", restart: 2, lines: ["started"] },
      { ...log("run-2-b"), state: "waiting", reason: "ContainerCreating" },
      { ...log("run-3-c"), state: "error", reason: "HTTP 500: boom", lines: ["kept"] },
      { ...log("run-4-d"), state: "truncated", lines: ["newest"] },
    ]);
    expect(text).toBe(`=== Container: run-initializer-x ===
{
}

=== Container: run-1-a/k6#2 ===
started

=== Container: run-2-b (WAITING) ===
ContainerCreating

=== Container: run-3-c (ERROR) ===
HTTP 500: boom
kept

=== Container: run-4-d (TRUNCATED) ===
newest
`);
  });

  test("marks gaps where they are, and escapes a log line that looks like one", () => {
    const gap = describeGap({ reason: "rotated", certain: false, from: 1_764_000_000_000_000_000n, until: null });
    const sections = [{ ...log("run-1-a", "one", "=== Gap: fake ==="), gaps: [{ before: 1, text: gap }] }];
    expect(formatContainerLogs(sections)).toBe(`=== Container: run-1-a ===
one
=== Gap: lines may be missing here, after 2025-11-24T16:00:00.000000000Z: the kubelet rotated the log away before it was read ===
\\=== Gap: fake ===
`);
    expect(parseContainerLogs(formatContainerLogs(sections))).toEqual(sections);
  });

  test("escapes a log line that looks like a header", () => {
    const sections = [log("run-1-a", "=== Container: fake ===", "", "\\=== Container: fake ==="), log("run-2-b")];
    const text = formatContainerLogs(sections);
    expect(text).toContain("\n\\=== Container: fake ===\n\n\\\\=== Container: fake ===\n");
    expect(parseContainerLogs(text)).toEqual(sections);
  });
});

describe("parseContainerLogs", () => {
  test("is the inverse of formatContainerLogs", () => {
    fc.assert(
      fc.property(fc.array(section, { maxLength: 6 }), (sections) => {
        expect(parseContainerLogs(formatContainerLogs(sections))).toEqual(sections);
      }),
      { numRuns: 2000 },
    );
  });

  test("leaves out what stands before the first header, and takes any text", () => {
    expect(parseContainerLogs("tail of something\n\n=== Container: a ===\nx\n")).toEqual([log("a", "x")]);
    expect(parseContainerLogs("")).toEqual([]);
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        const sections = parseContainerLogs(text);
        expect(parseContainerLogs(formatContainerLogs(sections))).toEqual(sections);
      }),
    );
  });

  test("reads the format of the beginning: headers of plain pods", () => {
    const text = `=== Container: k6-job-abc123-xyz789 ===
time="2025-01-08T10:15:30Z" level=info msg="Starting k6 test..."

=== Container: k6-job-abc123-def456 ===
time="2025-01-08T10:15:30Z" level=info msg="Starting k6 test..."
`;
    expect(parseContainerLogs(text).map(({ pod, lines: content }) => [pod, content.length])).toEqual([
      ["k6-job-abc123-xyz789", 1],
      ["k6-job-abc123-def456", 1],
    ]);
  });
});
