import { once } from "node:events";
import { type ClientRequest, request } from "node:http";
import { setImmediate } from "node:timers/promises";
import type { LogEntry } from "@tailrace/core";
import type { PostgresStore } from "@tailrace/store";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startReading } from "../src/http/paced.ts";
import type { ApiStore } from "../src/index.ts";
import { MAX_DOWNLOADS } from "../src/limits.ts";
import { ADMIN, TEAMS, type TestApi, makeRun, makeTeam, startApi } from "./api.ts";
import { download, openDownload, take } from "./download.ts";
import { RunLogs, T0 } from "./logs.ts";
import { type Proxy, openProxy } from "./proxy.ts";

const LINES = 240_000;
const LINE_BYTES = 208;
const MIB = 1024 * 1024;

/** What one reading of the store has come to. */
interface Reading {
  bytes: number;
  ended: Promise<void>;
  signal: AbortSignal;
}

/** The store, with an eye on what is read of it. */
function watched(store: PostgresStore, readings: Reading[]): ApiStore {
  const watch = (pieces: AsyncIterable<LogEntry[]>, signal: AbortSignal): AsyncIterable<LogEntry[]> => {
    const { promise: ended, resolve } = Promise.withResolvers<void>();
    const reading: Reading = { bytes: 0, ended, signal };
    readings.push(reading);
    return count(pieces, reading, resolve);
  };
  return {
    ...store,
    exportStream: (stream, signal) => watch(store.exportStream(stream, signal), signal),
    exportMerged: (streams, signal) => watch(store.exportMerged(streams, signal), signal),
  };
}

async function* count(pieces: AsyncIterable<LogEntry[]>, reading: Reading, ended: () => void) {
  try {
    for await (const entries of pieces) {
      for (const entry of entries) reading.bytes += entry.kind === "line" ? entry.bytes.length : 0;
      yield entries;
    }
  } finally {
    ended();
  }
}

/** A run of one container that wrote about 50 MB. */
async function largeRun(api: TestApi, teamId: string): Promise<string> {
  const run = await makeRun(api, { id: teamId, scenarioId: "checkout", tokens: { viewer: "", runner: "", admin: "" } });
  const stream = await (await RunLogs.of(api, run)).stream({ pod: "k6-large" });
  const rest = "0123456789abcdef".repeat(LINE_BYTES / 16);
  await stream.write(
    Array.from({ length: LINES }, (_, at) => ({ line: `${at} ${rest}`, time: T0 + BigInt(at) * 1000n })),
  );
  return run.id;
}

let api: TestApi;
let proxy: Proxy;
let runId: string;
const readings: Reading[] = [];
const last = (): Reading => readings.at(-1)!;
beforeAll(async () => {
  api = await startApi({
    reach: async (url) => (proxy = await openProxy(url)).url,
    watch: (store) => watched(store, readings),
  });
  await makeTeam(api, "checkout");
  runId = await largeRun(api, "checkout");
}, 120_000);
afterAll(async () => {
  await api[Symbol.asyncDispose]();
  await proxy[Symbol.asyncDispose]();
});

describe.each(["text", "ndjson", "raw&pod=k6-large&container=k6"])("a large download of %s", (format) => {
  const wanted = () => ({ teamId: "checkout", runId, query: `format=${format}` });

  it("is read at the pace of its client, and not ahead of it", async () => {
    const response = await openDownload(api, wanted());
    const slow = last();
    const fast = await download(api, wanted());
    expect([fast.complete, last().bytes > LINES * LINE_BYTES]).toEqual([true, true]);
    // The sockets' buffers hold some of it.
    expect(slow.bytes).toBeLessThan(16 * MIB);
    const late = await take(response);
    expect(late.complete).toBe(true);
    expect(late.body.equals(fast.body)).toBe(true);
  });

  it.each(["identity", "gzip", "zstd"])("is given up when its client leaves (%s)", async (acceptEncoding) => {
    const response = await openDownload(api, { ...wanted(), acceptEncoding });
    const reading = last();
    await once(response, "readable");
    response.destroy();
    await reading.ended;
    expect(reading.signal.aborted).toBe(true);
    expect(api.logged).toEqual([]);
  });

  it.each(["identity", "gzip", "zstd"])("is cut where the database is lost (%s)", async (acceptEncoding) => {
    const response = await openDownload(api, { ...wanted(), acceptEncoding });
    expect(response.statusCode).toBe(200);
    await proxy.cut();
    try {
      const { complete } = await take(response);
      expect(complete).toBe(false);
      expect(api.logged.splice(0).map(({ level }) => level)).toContain("warn");
    } finally {
      await proxy.open();
    }
  });
});

describe("a download", () => {
  it("is answered with an error where nothing can be read at all", async () => {
    await proxy.cut();
    try {
      const { status, headers, body } = await download(api, { teamId: "checkout", runId, acceptEncoding: "zstd" });
      expect([status, headers["content-encoding"], headers["content-disposition"]]).toEqual([
        503,
        undefined,
        undefined,
      ]);
      expect(JSON.parse(body.toString())).toMatchObject({ code: "UNAVAILABLE" });
    } finally {
      await proxy.open();
      api.logged.length = 0;
    }
  });

  it("is one of so many at most", async () => {
    const wanted = { teamId: "checkout", runId };
    const open = await Promise.all(Array.from({ length: MAX_DOWNLOADS }, () => openDownload(api, wanted)));
    expect(open.map(({ statusCode }) => statusCode)).toEqual(open.map(() => 200));
    const { status, headers, body } = await download(api, wanted);
    expect([status, headers["retry-after"]]).toEqual([429, "15"]);
    expect(JSON.parse(body.toString()).detail).toBe("16 downloads are under way, and no more are possible");
    const ended = Promise.all(readings.slice(-MAX_DOWNLOADS).map((reading) => reading.ended));
    for (const response of open) response.destroy();
    await ended;
    await setImmediate();
    const response = await openDownload(api, wanted);
    expect(response.statusCode).toBe(200);
    response.destroy();
    await last().ended;
  });
});

describe("startReading", () => {
  async function* numbers(count: number): AsyncGenerator<number> {
    for (let number = 0; number < count; number++) yield number;
  }

  const watch = { stallMs: 10_000, onStall: () => undefined, onFailure: () => undefined };

  it("gives every piece", async () => {
    for (const count of [0, 1, 5]) {
      const got: number[] = [];
      for await (const number of await startReading(numbers(count), watch)) got.push(number);
      expect(got).toEqual(Array.from({ length: count }, (_, at) => at));
    }
  });

  it("tells of a reader that leaves a piece for too long", async () => {
    const stalled = Promise.withResolvers<string>();
    const pieces = await startReading(numbers(3), { ...watch, stallMs: 5, onStall: () => stalled.resolve("stalled") });
    const iterator = pieces[Symbol.asyncIterator]();
    await iterator.next();
    expect(await stalled.promise).toBe("stalled");
    await iterator.return?.();
  });

  it("fails with what the first piece fails with, and tells of what a later one does", async () => {
    async function* failing(after: number): AsyncGenerator<number> {
      yield* numbers(after);
      throw new Error("lost");
    }
    const failures: unknown[] = [];
    const onFailure = (error: unknown): void => void failures.push(error);
    await expect(startReading(failing(0), { ...watch, onFailure })).rejects.toThrow("lost");
    expect(failures).toEqual([]);
    const pieces = await startReading(failing(2), { ...watch, onFailure });
    const readAll = async (): Promise<void> => {
      for await (const number of pieces) expect(number).toBeLessThan(2);
    };
    await expect(readAll()).rejects.toThrow("lost");
    expect(failures).toEqual([expect.objectContaining({ message: "lost" })]);
  });
});

describe("a page that nobody waits for", () => {
  const signals: AbortSignal[] = [];
  let waiting: TestApi;
  beforeAll(async () => {
    const wait = (_: unknown, signal: AbortSignal): Promise<never> =>
      new Promise((_resolve, reject) => {
        signals.push(signal);
        signal.addEventListener("abort", () => reject(signal.reason));
      });
    waiting = await startApi({ watch: (store) => ({ ...store, readLogPage: wait, searchLogs: wait }) });
    await makeTeam(waiting, "checkout");
  });
  afterAll(async () => await waiting[Symbol.asyncDispose]());

  const send = (path: string): ClientRequest => {
    const sent = request(waiting.origin + path, { headers: { authorization: `Bearer ${ADMIN}` }, agent: false });
    sent.on("error", () => undefined).end();
    return sent;
  };

  it.each(["page", "search"])("is given up over both transports: %s", async (verb) => {
    const { id } = await makeRun(waiting, {
      id: "checkout",
      scenarioId: "checkout",
      tokens: { viewer: "", runner: "", admin: "" },
    });
    const input = encodeURIComponent(JSON.stringify({ teamId: "checkout", runId: id }));
    for (const path of [`${TEAMS}/checkout/test-runs/${id}/logs/${verb}`, `/api/trpc/logs.${verb}?input=${input}`]) {
      signals.length = 0;
      const sent = send(path);
      await expect.poll(() => signals.length).toBe(1);
      const [signal] = signals;
      const aborted = once(signal!, "abort");
      sent.destroy();
      await aborted;
      expect(signal!.aborted).toBe(true);
    }
    expect(waiting.logged).toEqual([]);
  });
});
