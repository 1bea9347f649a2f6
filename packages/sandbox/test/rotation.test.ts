import fc from "fast-check";
import { renameSync } from "node:fs";
import { mkdtemp, rename, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { LogFile } from "../src/logs/log-file.ts";
import type { LogWatch } from "../src/logs/log-watch.ts";
import { readLog } from "../src/logs/read-log.ts";
import { planRotation, rotatedName } from "../src/logs/rotation.ts";
import {
  CORE,
  handWritten,
  logRoot,
  openSandbox,
  raw,
  runByHand,
  until,
  type Json,
  type TestSandbox,
} from "./support.ts";

describe("what a rotation does with the files that are there", () => {
  const current = "0.log";

  test.each([
    ["nothing was rotated yet", ["0.log"], 5, [], []],
    ["the newest rotated one is compressed", ["0.log", "0.log.1"], 5, [], ["0.log.1"]],
    ["the oldest goes", ["0.log", "0.log.1.gz", "0.log.2.gz", "0.log.3.gz", "0.log.4"], 5, ["0.log.1.gz"], ["0.log.4"]],
    ["two files are one of each", ["0.log", "0.log.1"], 2, ["0.log.1"], []],
    ["a broken compression is made anew", ["0.log", "0.log.1", "0.log.1.tmp"], 5, ["0.log.1.tmp"], ["0.log.1"]],
    ["what is compressed already goes", ["0.log", "0.log.1", "0.log.1.gz"], 5, ["0.log.1"], []],
    ["other instances are left alone", ["0.log", "1.log", "1.log.1"], 2, [], []],
  ])("%s", (_, names, maxFiles, remove, compress) => {
    expect(planRotation(current, names, maxFiles)).toEqual({ remove, compress });
  });

  test("there are never more than the most, and the newest stay", () => {
    const seconds = fc.uniqueArray(fc.integer({ min: 1_700_000_000, max: 1_800_000_000 }), { maxLength: 12 });
    fc.assert(
      fc.property(seconds, fc.integer({ min: 2, max: 6 }), (times, maxFiles) => {
        const sorted = times.toSorted((a, b) => a - b).map((second) => rotatedName(current, second));
        const names = sorted.map((name, at) => (at % 3 === 0 ? `${name}.gz` : name));
        const { remove, compress } = planRotation(current, [current, ...names.toReversed()], maxFiles);
        const kept = names.filter((name) => !remove.includes(name));
        expect(kept).toEqual(names.slice(-Math.max(0, maxFiles - 2) || names.length));
        expect(compress).toEqual(kept.filter((name) => !name.endsWith(".gz")));
      }),
    );
  });

  test("names are times in UTC", () => {
    expect(rotatedName("3.log", Date.UTC(2026, 10, 4, 5, 6, 7) / 1000)).toBe("3.log.20261104-050607");
  });
});

/** Tells when a reader has come to the end of its file for the first time. */
class WatchedLog extends LogFile {
  watches = 0;

  override watch(): LogWatch {
    this.watches++;
    return super.watch();
  }
}

describe("a follower of a log that is rotated", () => {
  let folder: string;
  let log: WatchedLog;
  let count = 0;
  beforeAll(async () => void (folder = await mkdtemp(join(tmpdir(), "tailrace-rotation-"))));
  afterEach(() => log.remove());
  afterAll(() => rm(folder, { recursive: true }));

  const begin = (line: string): AsyncGenerator<Buffer, void> => {
    log = new WatchedLog(join(folder, String(count++), "0.log"), "/nowhere");
    write(line);
    const rules = { timestamps: false, since: undefined, limitBytes: undefined, tailLines: undefined };
    return readLog(log, { ...rules, follow: true, tickMs: 20 }, new AbortController().signal);
  };
  const write = (line: string): void => log.write("stdout", Buffer.from(`${line}\n`));
  /** Renames the file, and writes the line into the new one. */
  const rotate = (line: string): void => {
    renameSync(log.path, `${log.path}.${count++}`);
    expect(log.reopen()).toBe(true);
    write(line);
  };
  const next = async (reader: AsyncGenerator<Buffer, void>): Promise<string | undefined> => {
    const { value } = await reader.next();
    return value === undefined ? undefined : value.toString().trimEnd().replaceAll("\n", " ");
  };
  /** Lets the reader come to the end of its file. @returns what comes next, as a promise that is not awaited here */
  const untilItsEnd = async (reader: AsyncGenerator<Buffer, void>): Promise<Promise<string | undefined>[]> => {
    const coming = next(reader);
    await until("the end of the file", () => log.watches === 1);
    return [coming];
  };

  test("goes on in the new file", async () => {
    const reader = begin("one");
    expect(await next(reader)).toBe("one");
    const [coming] = await untilItsEnd(reader);
    rotate("two");
    expect(await coming).toBe("two");
    write("three");
    expect(await next(reader)).toBe("three");
    log.end();
    expect(await next(reader)).toBeUndefined();
  });

  test("reads its file to the end first, then passes over a middle one, and reads the current one once a rotation", async () => {
    const reader = begin("one");
    expect(await next(reader)).toBe("one");
    const [coming] = await untilItsEnd(reader);
    write("two");
    expect(await coming).toBe("two");
    write("three");
    rotate("four");
    rotate("five");
    write("six");
    expect(await next(reader)).toBe("three");
    expect(await next(reader)).toBe("five six");
    expect(await next(reader)).toBe("five six");
    log.end();
    expect(await next(reader)).toBeUndefined();
  });

  test("stays in the old file until the next rotation when it had not been at its end before", async () => {
    const reader = begin("one");
    expect(await next(reader)).toBe("one");
    rotate("two");
    const [coming] = await untilItsEnd(reader);
    write("three");
    rotate("four");
    expect(await coming).toBe("four");
    log.end();
    expect(await next(reader)).toBeUndefined();
  });

  test("never sees the new file when the container has ended", async () => {
    const reader = begin("one");
    expect(await next(reader)).toBe("one");
    const [coming] = await untilItsEnd(reader);
    write("two");
    expect(await coming).toBe("two");
    rotate("three");
    log.end();
    expect(await next(reader)).toBeUndefined();
  });

  test("begins with the current file", async () => {
    const reader = begin("one");
    rotate("two");
    log.end();
    expect(await next(reader)).toBe("two");
    expect(await next(reader)).toBeUndefined();
  });
});

describe("the kubelet rotates", () => {
  const { program, containers } = handWritten();
  let there: TestSandbox;
  beforeAll(async () => void (there = await openSandbox({ programs: [program], logMaxFiles: 4 })));
  afterAll(async () => {
    expect(there.problems).toEqual([]);
    await there[Symbol.asyncDispose]();
  });

  /** What a container's log folder has, as the kubelet's port shows it. */
  const files = async (folder: string, sandbox = there.sandbox): Promise<string[]> => {
    const { body } = await raw(sandbox, { path: `${folder}/` });
    return Array.from(body.matchAll(/<a href="([^"]*)">/g), ([, name]) => name!);
  };
  const content = async (path: string): Promise<string> => {
    const bytes = Buffer.from((await raw(there.sandbox, { path })).body, "latin1");
    return (path.endsWith(".gz") ? gunzipSync(bytes) : bytes).toString();
  };
  const say = (container: string, text: string): void =>
    containers.get(container)!.output.write("stdout", Buffer.from(text));
  const lines = (text: string): string[] =>
    text
      .trimEnd()
      .split("\n")
      .map((line) => line.replace(/^\S+ /, ""));

  test("all files but the newest are compressed, the oldest go, and their names and lines are in order", async () => {
    const folder = `${await runByHand(there, "by-hand-order", ["c"])}/c`;
    const names = new Set<string>();
    for (let part = 1; part <= 6; part++) {
      say("c", `${part}a\n${part}b\n`);
      await there.sandbox.faults.rotateLogs({ pod: "by-hand-order" });
      for (const name of await files(folder)) names.add(name.replace(/\.gz$/, ""));
    }
    say("c", "last\n");
    const left = await files(folder);
    expect(left).toEqual([
      "0.log",
      expect.stringMatching(/^0\.log\.\d{8}-\d{6}\.gz$/),
      expect.stringMatching(/^0\.log\.\d{8}-\d{6}\.gz$/),
      expect.stringMatching(/^0\.log\.\d{8}-\d{6}$/),
    ]);
    // Six rotations within a second have six names.
    expect(names.size).toBe(7);
    const [current, ...rotated] = await Promise.all(left.map((name) => content(`${folder}/${name}`)));
    expect(rotated.map(lines)).toEqual([4, 5, 6].map((part) => [`stdout F ${part}a`, `stdout F ${part}b`]));
    expect(lines(current!)).toEqual(["stdout F last"]);
    const log = await there.send("GET", `${CORE}/pods/by-hand-order/log`);
    expect(log.text).toBe("last\n");
    containers.get("c")!.exit(0);
  });

  test("only what is named, and only what runs", async () => {
    const folder = await runByHand(there, "by-hand-named", ["a", "b", "ended"]);
    for (const name of ["a", "b", "ended"]) say(name, `${name}\n`);
    containers.get("ended")!.exit(0);
    await until("its end", async () => {
      const { body } = await there.send("GET", `${CORE}/pods/by-hand-named`);
      return (body.status.containerStatuses as Json[]).some(({ state }) => state.terminated);
    });
    await there.sandbox.faults.rotateLogs({ pod: "by-hand-named", container: "a" });
    expect([await files(`${folder}/a`), await files(`${folder}/b`)]).toEqual([
      expect.arrayContaining(["0.log"]),
      ["0.log"],
    ]);
    expect(await files(`${folder}/a`)).toHaveLength(2);
    await there.sandbox.faults.rotateLogs();
    expect(
      (await Promise.all(["a", "b", "ended"].map((name) => files(`${folder}/${name}`)))).map(({ length }) => length),
    ).toEqual([3, 2, 1]);
    await there.send("DELETE", `${CORE}/pods/by-hand-named`);
    await until("the folder's end", async () => (await raw(there.sandbox, { path: `${folder}/` })).status === 404);
  });

  test("a line that is not finished ends in the old file as a partial record", async () => {
    const folder = `${await runByHand(there, "by-hand-half", ["half"])}/half`;
    say("half", "one\nunfini");
    expect(lines(await content(`${folder}/0.log`))).toEqual(["stdout F one"]);
    await there.sandbox.faults.rotateLogs({ pod: "by-hand-half" });
    say("half", "shed\n");
    const [current, rotated] = await files(folder);
    expect(lines(await content(`${folder}/${rotated}`))).toEqual(["stdout F one", "stdout P unfini"]);
    expect(lines(await content(`${folder}/${current}`))).toEqual(["stdout F shed"]);
    containers.get("half")!.exit(0);
  });

  test("a log of the size that is the most, when it looks", async () => {
    const own = handWritten();
    await using other = await openSandbox({ programs: [own.program], logMaxBytes: 1000, logMonitorMs: 20 });
    const folder = await runByHand(other, "by-hand-size", ["small", "large", "ended"]);
    const write = (name: string, bytes: number): void =>
      own.containers.get(name)!.output.write("stdout", Buffer.from(`${"x".repeat(bytes)}\n`));
    write("small", 900);
    write("large", 1000);
    own.containers.get("ended")!.exit(0);
    await until("the first rotation", async () => (await files(`${folder}/large`, other.sandbox)).length === 2);
    expect((await raw(other.sandbox, { path: `${folder}/large/0.log` })).body).toBe("");
    write("large", 2000);
    await until("the second rotation", async () => (await files(`${folder}/large`, other.sandbox)).length === 3);
    expect(await files(`${folder}/small`, other.sandbox)).toEqual(["0.log"]);
    expect(other.problems).toEqual([]);
  });

  test("between the renaming and the new file the log API has the kubelet's error in its 200", async () => {
    const folder = await runByHand(there, "by-hand-gone", ["gone"]);
    say("gone", "one\n");
    const path = join(await logRoot(there), folder.slice("/logs/".length), "gone/0.log");
    await rename(path, `${path}.away`);
    const { status, text } = await there.send("GET", `${CORE}/pods/by-hand-gone/log`);
    const node = `/var${folder.replace("/logs/", "/log/")}/gone/0.log`;
    expect([status, text]).toEqual([
      200,
      `failed to try resolving symlinks in path "${node}": lstat ${node}: no such file or directory`,
    ]);
    containers.get("gone")!.exit(0);
  });

  test("a log may not have one file alone", async () => {
    await expect(openSandbox({ logMaxFiles: 1 })).rejects.toThrow("invalid MaxFiles 1, must be > 1");
  });
});
