import { createReadStream } from "node:fs";
import { open, rm } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { constants, createGzip, createZstdCompress, type Gzip, type ZstdCompress } from "node:zlib";
import { openSandbox } from "../e2e/support/sandbox.ts";
import { ended, startRun, untilRun } from "../e2e/support/runs.ts";
import { spawnServer } from "../e2e/support/server.ts";
import { until } from "../e2e/support/until.ts";
import { commandOf, commandProgram, OUTPUT_NAMES, OUTPUTS, type StoredOutputKind } from "./storage/programs.ts";
import { isInstalled } from "./support/commands.ts";
import { count, someOf, type FlagValues } from "./support/flags.ts";
import { openFolder } from "./support/folder.ts";
import { describeMachine, machineText, type Machine, type PostgresSettings } from "./support/machine.ts";
import { openPostgres, type BenchPostgres } from "./support/postgres.ts";
import { runBench, type BenchContext, type BenchReport } from "./support/run-bench.ts";
import { readStoredOutput } from "./support/stored-output.ts";
import { readLogSizes, type TableSizes } from "./support/table-sizes.ts";
import { digits, formatTable, whole } from "./support/table.ts";

const FLAGS = {
  lines: count(500_000, "lines of each output, about"),
  runs: count(3, "runs of each, one after the other with a VACUUM between them, so that free room is used again"),
  rate: count(20_000, "lines a second of `lines`; 0 for as fast as possible", 0),
  outputs: someOf(OUTPUTS, "whose output is stored"),
};

/** No run takes longer. */
const RUN_MS = 3_600_000;

type Values = FlagValues<typeof FLAGS>;

interface Measured {
  output: StoredOutputKind;
  command: string;
  runs: number;
  /** Of all runs together, as everything below. */
  lines: number;
  /** What the containers wrote: `raw` in the table. */
  rawBytes: number;
  chunks: number;
  /** Of the compressed chunks alone. */
  dataBytes: number;
  /** As the files lie there after the last seal, with the room of small chunks that were joined. */
  sizes: TableSizes;
  /** After VACUUM FULL, which leaves no free room. */
  rewritten: TableSizes;
  /** The same bytes as one whole file for each run. */
  gzip6Bytes: number;
  zstd3Bytes: number;
}

const ABOUT = `Lets a runner of the sandbox print, once what the lab's \`lines\` prints and once what a real k6 says of
bench/storage/k6-console.js in JSON, while a server follows it into PostgreSQL, seals the stream and joins its small chunks; as often as --runs says.
Then it says how many bytes of PostgreSQL's files each byte of the output takes, with indexes and TOAST, beside the same
bytes as one file of gzip -6 and of zstd -3. Needs \`lines\` and \`k6\` on the PATH; what is not there is left out.`;

await runBench({ name: "storage", about: ABOUT, flags: FLAGS }, async (values, context) => {
  const measured: Measured[] = [];
  const missing: string[] = [];
  let settings: PostgresSettings | undefined;
  for (const output of values.outputs) {
    const { file } = commandOf(output, values);
    if (!(await isInstalled(file, file === "k6" ? "version" : "--help"))) {
      missing.push(`${file} is not on the PATH: its output was not measured`);
      continue;
    }
    await using parts = new AsyncDisposableStack();
    const folder = parts.use(await openFolder());
    const postgres = parts.use(await openPostgres(folder.path, context.signal));
    ({ settings } = postgres);
    measured.push(await measure(output, { values, folder: folder.path, postgres, context }));
  }
  return report(describeMachine(settings === undefined ? {} : { postgres: settings }), measured, missing);
});

interface Setting {
  values: Values;
  folder: string;
  postgres: BenchPostgres;
  context: BenchContext;
}

async function measure(output: StoredOutputKind, setting: Setting): Promise<Measured> {
  const { values, folder, postgres, context } = setting;
  const command = OUTPUT_NAMES[output];
  const sums = { lines: 0, rawBytes: 0, gzip6Bytes: 0, zstd3Bytes: 0 };
  const rawFile = join(folder, "raw.log");
  for (let run = 0; run < values.runs; run += 1) {
    context.say(`${command}: run ${run + 1} is followed`);
    const stream = await follow(commandOf(output, values), setting);
    const raw = await writeRawFile(postgres, stream.id, rawFile);
    if (raw.bytes !== stream.bytes || raw.sha256 !== stream.sha256) throw new Error("the rows are not what was sealed");
    context.say(`${command}: ${whole(raw.lines)} lines, ${whole(raw.bytes)} bytes are stored`);
    sums.lines += raw.lines;
    sums.rawBytes += raw.bytes;
    sums.gzip6Bytes += await compressedSize(rawFile, createGzip({ level: 6 }));
    const zstd = createZstdCompress({ params: { [constants.ZSTD_c_compressionLevel]: 3 } });
    sums.zstd3Bytes += await compressedSize(rawFile, zstd);
    await rm(rawFile);
    await postgres.query("vacuum");
  }
  const sizes = await readLogSizes(postgres);
  const [rows] = await postgres.query<{ chunks: number; data: string }>(
    "select count(*)::int as chunks, sum(length(data)) as data from log_chunks",
  );
  await postgres.query("vacuum full");
  const rewritten = await readLogSizes(postgres);
  const stored = { chunks: rows!.chunks, dataBytes: Number(rows!.data), sizes, rewritten };
  return { output, command, runs: values.runs, ...sums, ...stored };
}

interface SealedStream {
  id: number;
  bytes: number;
  sha256: string;
}

/** Starts a run and follows it to its seal, with a server and a cluster that are there for it alone. */
async function follow(
  command: { file: string; args: string[] },
  { postgres, context }: Setting,
): Promise<SealedStream> {
  await using parts = new AsyncDisposableStack();
  const programs = [commandProgram(command)];
  const sandbox = parts.use(await openSandbox({ mode: "replay", programs, logMaxBytes: -1 }));
  const env = { ...sandbox.env, DATABASE_URL: postgres.url, TAILRACE_AUTH: "none" };
  const server = parts.use(await spawnServer("start", env));
  const run = await startRun(server.client, { script: "export default function () {}" });
  const end = interrupted(context, ended);
  const { status, error } = await untilRun(() => server.client, run, "the end of the run", end, RUN_MS);
  if (status !== "finished") throw new Error(`the run ended as ${status}: ${error}`);
  return await until("the seal", async () => {
    context.signal.throwIfAborted();
    const [stream] = await postgres.query<{ id: string; bytes: string; sha256: string; truncated: string | null }>(
      `select id, output_bytes as bytes, sha256, truncated from log_streams
       where run_id = $1 and role = 'runner' and sealed_at is not null`,
      [run.id],
    );
    if (stream === undefined) return null;
    if (stream.truncated !== null) throw new Error(`the stream was sealed as cut: ${stream.truncated}`);
    return { id: Number(stream.id), bytes: Number(stream.bytes), sha256: stream.sha256 };
  });
}

/** A condition that also ends the waiting for it. */
function interrupted<T>({ signal }: BenchContext, met: (value: T) => boolean): (value: T) => boolean {
  return (value) => {
    signal.throwIfAborted();
    return met(value);
  };
}

async function writeRawFile(postgres: BenchPostgres, streamId: number, file: string) {
  const raw = await open(file, "w");
  try {
    return await readStoredOutput(postgres.url, streamId, (lines) => raw.writeFile(lines));
  } finally {
    await raw.close();
  }
}

async function compressedSize(file: string, compress: Gzip | ZstdCompress): Promise<number> {
  let bytes = 0;
  await pipeline(createReadStream(file), compress, async (pieces: AsyncIterable<Buffer>) => {
    for await (const piece of pieces) bytes += piece.length;
  });
  return bytes;
}

function report(machine: Machine, measured: readonly Measured[], missing: readonly string[]): BenchReport {
  const share = (bytes: number, { rawBytes }: Measured): string => digits(bytes / rawBytes, 4);
  const row = (title: string, cell: (one: Measured) => string): string[] => [title, ...measured.map(cell)];
  const rows = [
    row("runs", ({ runs }) => whole(runs)),
    row("lines", ({ lines }) => whole(lines)),
    row("raw bytes", ({ rawBytes }) => whole(rawBytes)),
    row("chunks", ({ chunks }) => whole(chunks)),
    row("compressed chunks / raw", (one) => share(one.dataBytes, one)),
    row("on disk / raw", (one) => share(one.sizes.total, one)),
    row("  rows of chunks", (one) => share(one.sizes.chunks, one)),
    row("  TOAST", (one) => share(one.sizes.toast, one)),
    row("  indexes", (one) => share(one.sizes.indexes, one)),
    row("  streams and gaps", (one) => share(one.sizes.others, one)),
    row("after VACUUM FULL / raw", (one) => share(one.rewritten.total, one)),
    row("gzip -6 / raw", (one) => share(one.gzip6Bytes, one)),
    row("zstd -3 / raw", (one) => share(one.zstd3Bytes, one)),
    row("on disk / gzip -6", (one) => digits(one.sizes.total / one.gzip6Bytes, 2)),
    row("on disk / zstd -3", (one) => digits(one.sizes.total / one.zstd3Bytes, 2)),
  ];
  const text = `${machineText(machine)}
Followed while it was written, sealed, small chunks joined; all runs together.
${formatTable(["", ...measured.map(({ command }) => command)], rows)}${missing.map((line) => `${line}\n`).join("")}`;
  return { figures: { bench: "storage", machine, measured, missing }, text };
}
