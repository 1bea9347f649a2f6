import type { LogSource } from "@tailrace/core";
import { eventKinds } from "./chaos/plan.ts";
import { runChaos, type ChaosResult } from "./chaos/run.ts";
import { count, optionalText, type Flag } from "./support/flags.ts";
import { describeMachine, machineText } from "./support/machine.ts";
import { runBench } from "./support/run-bench.ts";
import { digits, formatTable, whole } from "./support/table.ts";

type SourceName = LogSource | "both";

const SOURCES: Record<SourceName, readonly LogSource[]> = { node: ["node"], api: ["api"], both: ["node", "api"] };

const SOURCE: Flag<SourceName> = {
  fallback: "both",
  help: "where the lines are read: node, api or both",
  read(text) {
    if (Object.hasOwn(SOURCES, text)) return text as SourceName;
    throw new RangeError("must be node, api or both");
  },
};

const FLAGS = {
  lines: count(10_000_000, "lines of all streams and sources together"),
  streams: count(10, "containers that write them, with each source"),
  seed: count(1, "of everything that is planned", 0),
  source: SOURCE,
  rounds: count(2, "how often each kind of event happens, with each source"),
  rotate: count(25_000, "lines between two rotations of a log, on average"),
  keep: optionalText("folder for the servers' logs and the rows about the lines, where something is wrong"),
};

const ABOUT = `Runners of a sandbox write numbered lines while everything goes wrong that the plan of the seed has: requests for logs,
watches and everything else are cut (also in the middle of a line), come to a clean end too early, stall, are refused with
500, 503 or 429 or reset; times are repeated and out of order; logs are rotated, followed, unfollowed, in the middle of a line
and faster than anybody can read; servers get SIGKILL and SIGTERM, alone and with another one that takes over; leases are
stolen; PostgreSQL is restarted, crashes and stalls; API server and kubelet go away; watches' histories are forgotten.

Then all of it is read back through the download, and a check that knows nothing of the collector says what was lost, doubled
or out of order. Lines may be missing only where they were in a file that was rotated away before they were certainly stored,
and a gap must say so; a certain gap must stand for a loss. Each seal is compared with the raw download.

The seed settles the lines, their order of times, before which lines a log is rotated and how, when (in lines written)
which event happens and how long it lasts, and what happens to the n-th request for the same thing. What is left to the
machine: how many requests there are, how far a reader is at an event, and so how many lines the fast rotations take. The
exit code is 1 when anything is wrong.`;

await runBench({ name: "chaos", about: ABOUT, flags: FLAGS }, async (values, { signal, say }) => {
  const { streams, seed, rounds, rotate: rotateEvery, keep } = values;
  const sources = SOURCES[values.source];
  const lines = Math.ceil(values.lines / streams / sources.length);
  const results: ChaosResult[] = [];
  const failed: string[] = [];
  for (const source of sources) {
    const kinds = eventKinds(source);
    const tell = (text: string): void => say(`${source}: ${text}`);
    try {
      results.push(
        await runChaos({ source, seed, lines, streams, rotateEvery, rounds, kinds, keep, signal, say: tell }),
      );
    } catch (error) {
      signal.throwIfAborted();
      // What was found out with the other source is told all the same.
      failed.push(`${source}: ${error instanceof Error ? error.message : String(error)}\n`);
    }
  }
  if (failed.length > 0 || results.some(({ wrong }) => wrong.length > 0)) process.exitCode = 1;
  const machine = describeMachine();
  return { figures: { machine, results, failed }, text: machineText(machine) + resultText(results) + failed.join("") };
});

function resultText(results: readonly ChaosResult[]): string {
  const row = (title: string, cell: (result: ChaosResult) => string): string[] => [title, ...results.map(cell)];
  const names = (field: "gaps" | "verified" | "rotations" | "faults" | "events" | "reopens"): string[][] =>
    Array.from(new Set(results.flatMap((result) => Object.keys(result[field])))).map((name) =>
      row(`${field}: ${name}`, (result) => whole(result[field][name])),
    );
  const table = formatTable(
    ["", ...results.map(({ source }) => source)],
    [
      row("streams", ({ streams }) => whole(streams)),
      row("lines written", ({ lines }) => whole(lines)),
      row("lines stored", ({ stored }) => whole(stored)),
      row("doubled", ({ doubled }) => whole(doubled)),
      row("out of order", ({ reordered }) => whole(reordered)),
      row("lost, not flagged", ({ unflagged }) => whole(unflagged)),
      row("lost to rotation, flagged", ({ flagged }) => whole(flagged)),
      row("rests of cut lines", ({ rests }) => whole(rests)),
      ...names("gaps"),
      ...names("verified"),
      ...names("rotations"),
      ...names("faults"),
      ...names("events"),
      ...names("reopens"),
      row("seconds", ({ seconds }) => digits(seconds, 1)),
      row("lines/s", ({ linesPerSecond }) => whole(linesPerSecond)),
      row("wrong", ({ wrong }) => whole(wrong.length)),
    ],
  );
  const wrong = results.flatMap(({ source, wrong: all }) => all.slice(0, 50).map((what) => `${source}: ${what}\n`));
  return `\n${table}${wrong.length === 0 ? "" : `\n${wrong.join("")}`}`;
}
