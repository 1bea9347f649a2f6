import { FILE_START, type FilePlace, Hash64 } from "@tailrace/core";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { logFilePath, logFolderPath, nodeProxyPath } from "../src/node-logs/log-path.ts";
import { PlaceReader } from "../src/node-logs/place-reader.ts";
import { contentRangeSize, contentRangeStart, rangeHeader } from "../src/node-logs/range.ts";

const UID = "07037fab-6ef4-4d4b-8e02-1e23948001f9";
const folder = (instance: Partial<{ pod: string; podUid: string; container: string }> = {}) => ({
  node: { name: "n", address: "127.0.0.1" },
  instance: { pod: "p-1", podUid: UID, container: "k6", ...instance },
});

describe("the path of a log file", () => {
  test.each(["0.log", "12.log", "0.log.20261124-143232", "0.log.20261124-143232.gz"])("of %s", (file) => {
    expect(logFilePath("ns", folder(), file)).toBe(`pods/ns_p-1_${UID}/k6/${file}`);
  });

  test.each([
    ["another namespace's", "other_p-1", {}, "0.log"],
    ["a folder above", "..", {}, "0.log"],
    ["a pod above", "ns", { pod: ".." }, "0.log"],
    ["a pod with a slash", "ns", { pod: "a/b" }, "0.log"],
    ["a pod of another namespace", "ns", { pod: "a_b" }, "0.log"],
    ["an encoded slash", "ns", { pod: "a%2fb" }, "0.log"],
    ["an empty pod", "ns", { pod: "" }, "0.log"],
    ["a long pod", "ns", { pod: "a".repeat(254) }, "0.log"],
    ["a pod with a line feed", "ns", { pod: "a\n" }, "0.log"],
    ["no UID", "ns", { podUid: "" }, "0.log"],
    ["another UID", "ns", { podUid: `${UID}/../x` }, "0.log"],
    ["a container above", "ns", { container: ".." }, "0.log"],
    ["a container with a dot", "ns", { container: "a.b" }, "0.log"],
    ["a query", "ns", { container: "a?b" }, "0.log"],
    ["an empty file", "ns", {}, ""],
    ["a file above", "ns", {}, "../0.log"],
    ["another file", "ns", {}, "kubelet.log"],
    ["a half-made file", "ns", {}, "0.log.20261124-143232.tmp"],
    ["a compressed current file", "ns", {}, "0.log.gz"],
    ["a file with a line feed", "ns", {}, "0.log\n"],
  ])("%s is refused", (_name, namespace, instance, file) => {
    expect(() => logFilePath(namespace, folder(instance), file)).toThrow(
      expect.objectContaining({ name: "ClusterError", code: "invalid" }),
    );
  });

  test("is that of one container of the namespace, or is refused", () => {
    const allowed = new RegExp(`^pods/ns_[a-z0-9.-]+_[0-9a-f-]{36}/[a-z0-9-]+/\\d+\\.log[.a-z0-9-]*$`);
    const part = (good: string): fc.Arbitrary<string> =>
      fc.oneof(fc.constant(good), fc.string({ unit: "binary" }), fc.stringMatching(/^[a-z0-9./_%-]{0,12}$/));
    const property = fc.property(part("p-1"), part(UID), part("k6"), part("0.log"), (pod, podUid, container, file) => {
      let path: string;
      try {
        path = logFilePath("ns", folder({ pod, podUid, container }), file);
      } catch (error) {
        expect(error).toMatchObject({ code: "invalid" });
        return;
      }
      expect(path).toMatch(allowed);
      expect(new URL(`https://node/logs/${path}`).pathname).toBe(`/logs/${path}`);
      expect(path.startsWith(logFolderPath("ns", folder({ pod, podUid, container })))).toBe(true);
    });
    fc.assert(property, { numRuns: 300 });
  });

  test("through the API server names a node and nothing else", () => {
    expect(nodeProxyPath("ip-10-0-0-1.ec2.internal")).toBe("/api/v1/nodes/ip-10-0-0-1.ec2.internal/proxy");
    for (const name of ["", "n:10255", "https:n:1", "a/b", "..", "N"])
      expect(() => nodeProxyPath(name)).toThrow(expect.objectContaining({ code: "invalid" }));
  });
});

function hashOf(entry: Uint8Array): string {
  return new Hash64().update(new DataView(entry.buffer, entry.byteOffset, entry.byteLength), 0, entry.length).hex();
}

describe("reading from a place", () => {
  test("gives what is behind it, up to the limit, wherever the bytes are cut", () => {
    const property = fc.property(
      fc.uint8Array({ maxLength: 200 }),
      fc.nat(),
      fc.nat(),
      fc.nat(),
      fc.option(fc.integer({ min: 1, max: 250 })),
      fc.array(fc.nat({ max: 200 }), { maxLength: 8 }),
      fc.boolean(),
      (file, a, b, c, limit, cuts, spoil) => {
        const offset = a % (file.length + 1);
        const entryBytes = b % (offset + 1);
        const from = c % (offset - entryBytes + 1);
        const entry = file.slice(offset - entryBytes, offset);
        const place: FilePlace = { offset, entryBytes, entryHash: entryBytes === 0 ? "" : hashOf(entry) };
        const served = file.slice(from);
        const spoiled = spoil && entryBytes > 0;
        if (spoiled) served[offset - entryBytes - from]! ^= 1;
        const reader = new PlaceReader(place, from, limit);
        const parts: Uint8Array[] = [];
        let start = 0;
        for (const end of [...cuts.map((cut) => Math.min(cut, served.length)), served.length].sort((x, y) => x - y)) {
          parts.push(reader.push(served.subarray(start, end)));
          start = end;
        }
        const wanted = spoiled ? new Uint8Array(0) : file.slice(offset, offset + (limit ?? Infinity));
        expect(reader.changed).toBe(spoiled);
        expect(Buffer.concat(parts)).toEqual(Buffer.from(wanted));
        expect(reader.bytes).toBe(wanted.length);
        expect(reader.done).toBe(spoiled || file.length - offset > (limit ?? Infinity));
      },
    );
    fc.assert(property, { numRuns: 1000 });
  });

  test("what ends before the place is another file", () => {
    const reader = new PlaceReader({ offset: 10, entryBytes: 4, entryHash: "x" }, 6, null);
    expect(reader.push(Buffer.from("abc"))).toHaveLength(0);
    expect(reader.changed).toBe(true);
    expect(reader.done).toBe(false);
  });
});

test("ranges", () => {
  expect(rangeHeader(FILE_START, null)).toBe("bytes=0-");
  expect(rangeHeader({ offset: 100, entryBytes: 40, entryHash: "" }, null)).toBe("bytes=60-");
  expect(rangeHeader({ offset: 100, entryBytes: 40, entryHash: "" }, 10)).toBe("bytes=60-109");
  expect(contentRangeStart("bytes 60-109/2000")).toBe(60);
  expect(contentRangeStart("bytes 60-109/*")).toBe(60);
  for (const header of [undefined, "", "bytes */10", "lines 1-2/3", "bytes 1-2", "bytes=1-2/3"])
    expect(contentRangeStart(header)).toBeNull();
  expect(contentRangeSize("bytes */10")).toBe(10);
  for (const header of [undefined, "bytes 1-2/3", "bytes */*"]) expect(contentRangeSize(header)).toBeNull();
});
