import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ChunkLines, makeId, type ContainerInstance, type StreamRecord } from "@tailrace/core";
import { openStore, openStoredChunk, storeChunk, type PostgresStore } from "@tailrace/store";
import { testDatabase } from "@tailrace/store/testing";
import { pino } from "pino";
import { ChunkBuffers } from "../../src/collector/buffers.ts";
import { Committer, type CommitterDeps } from "../../src/collector/committer.ts";
import { openSpoolFolder } from "../../src/collector/spool/folder.ts";
import { StreamWriter } from "../../src/collector/stream-writer.ts";
import { openTcpProxy, type TcpProxy } from "./tcp-proxy.ts";

export const quiet = pino({ level: "silent" });

/** A database behind a line that can be cut and stalled, and a folder for the spool. */
export interface Storage extends AsyncDisposable {
  /** Goes through the line. */
  store: PostgresStore;
  /** Does not. */
  direct: PostgresStore;
  line: TcpProxy;
  spoolRoot: string;
}

export async function openStorage(): Promise<Storage> {
  await using parts = new AsyncDisposableStack();
  const database = parts.use(await testDatabase());
  const url = new URL(database.url);
  const line = parts.use(await openTcpProxy(Number(url.port)));
  url.port = String(line.port);
  const direct = parts.use(await openStore({ databaseUrl: database.url, log: quiet }));
  const store = parts.use(await openStore({ databaseUrl: url.href, log: quiet, statementTimeoutMs: 2000 }));
  const spoolRoot = await mkdtemp(join(tmpdir(), "tailrace-spools-"));
  parts.defer(() => rm(spoolRoot, { recursive: true, force: true }));
  parts.defer(() => {
    line.accept();
    line.resume();
  });
  const owned = parts.move();
  return { store, direct, line, spoolRoot, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

/** A step that is claimed, with its fencing number. */
export async function claimedStep(
  store: PostgresStore,
): Promise<{ id: string; fence: number; steal(): Promise<number> }> {
  const id = makeId(randomBytes(16));
  await store.createTeam({ id, name: "Team" });
  const config = { name: id, script: "export default function () {}", parallelism: 1 };
  const step = { id: `${id}-0`, namespace: id, config };
  await store.createRun({ id, teamId: id, scenarioId: "s", comment: null, step, maxActive: 1 });
  const claim = async (holder: string, ttlMs: number): Promise<number> => {
    const [claimed] = await store.claimSteps({ holder, namespace: id, ttlMs, limit: 1 });
    return claimed!.fence;
  };
  const fence = await claim("first", 60_000);
  return {
    id: step.id,
    fence,
    async steal() {
      await store.releaseLeases("first");
      return await claim("second", 60_000);
    },
  };
}

export const INSTANCE: ContainerInstance = {
  podUid: "11111111-2222-3333-4444-555555555555",
  pod: "run-1-abcde",
  container: "k6",
  restart: 0,
  role: "runner",
  runner: 1,
  named: false,
};

/**
 * A committer with its own folder below the storage's spools.
 *
 * @param rest.spool - puts itself before the queue in that folder
 */
export async function openCommitter(
  { store, spoolRoot }: Pick<Storage, "store" | "spoolRoot">,
  {
    spool = (queue) => queue,
    ...rest
  }: Partial<Omit<CommitterDeps, "spool">> & { spool?: (queue: CommitterDeps["spool"]) => CommitterDeps["spool"] } = {},
): Promise<{ committer: Committer; pool: ChunkBuffers; leave: () => Promise<void> }> {
  const folder = await openSpoolFolder(spoolRoot, makeId(randomBytes(16)), quiet);
  const pool = new ChunkBuffers();
  const committer = new Committer({
    store,
    storeChunk,
    release: (buffer) => pool.release(buffer),
    spool: spool(folder.queue),
    spoolLimit: 1024 ** 3,
    log: quiet,
    onCommitted: () => undefined,
    ...rest,
  });
  return {
    committer,
    pool,
    async leave() {
      await committer.close(5000);
      await folder[Symbol.asyncDispose]();
    },
  };
}

export function openWriter(
  record: StreamRecord,
  { committer, pool }: { committer: Pick<Committer, "submit">; pool: ChunkBuffers },
) {
  const events = { lost: false, gaps: 0 };
  const writer = new StreamWriter(record, {
    committer,
    pool,
    onLost: () => (events.lost = true),
    onGap: () => (events.gaps += 1),
    onStored: () => undefined,
  });
  return { writer, events };
}

const FIRST_SECOND = 1_764_000_000;

/** When {@link writeNumbers} says that a line was written. */
export function timeOf(n: number): bigint {
  return BigInt(FIRST_SECOND + n) * 1_000_000_000n;
}

/** Writes `line {n}` for each number, a second apart, and puts them on their way. */
export function writeNumbers(writer: StreamWriter, from: number, until: number, size = 0): void {
  write(writer, from, until, () => " ".repeat(size));
}

/** As {@link writeNumbers}, with so many bytes behind each number that can't be compressed to less than three quarters. */
export function writeNoise(writer: StreamWriter, from: number, until: number, size: number): void {
  write(writer, from, until, () => ` ${randomBytes((size * 3) / 4).toString("base64")}`);
}

function write(writer: StreamWriter, from: number, until: number, padding: () => string): void {
  const { builder } = writer;
  for (let n = from; n < until; n += 1) {
    const bytes = Buffer.from(`line ${n}${padding()}`);
    builder.reserve(bytes.length);
    builder.bytes.set(bytes, builder.end);
    builder.line(builder.end + bytes.length, FIRST_SECOND + n, 0, 0);
  }
  writer.flush({ source: "api" });
}

/** The numbers of a stream's stored lines, as they lie in its chunks. */
export async function storedNumbers(store: PostgresStore, stream: StreamRecord): Promise<number[]> {
  const numbers: number[] = [];
  for await (const stored of store.readChunks(stream)) {
    const chunk = await openStoredChunk(stored);
    for (const lines = new ChunkLines(chunk); lines.next();)
      numbers.push(Number(Buffer.from(chunk.payload.subarray(lines.start, lines.end)).toString().split(" ")[1]));
  }
  return numbers;
}

export function upTo(end: number): number[] {
  return Array.from({ length: end }, (_, n) => n);
}
