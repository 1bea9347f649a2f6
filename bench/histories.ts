import { checkHistories } from "../packages/core/test/logs/model/check-histories.ts";
import { count } from "./support/flags.ts";
import { describeMachine, machineText } from "./support/machine.ts";
import { runBench } from "./support/run-bench.ts";
import { digits, formatTable, whole } from "./support/table.ts";

const FLAGS = {
  runs: count(20_000, "histories in all"),
  seed: count(1, "of the first round; the next ones count on from it", 0),
};

const ABOUT = `Makes histories of a container's log (out of order and repeated times, long lines, rotation, compression, deletion) and of
those who read it (cuts, also in the middle of a line, clean ends, restarts, stale answers), and holds what the resume rules
of both sources make of each against what was written. The first history that is not right ends it, with its seed and path.`;

/** Between two rounds it is told how far it is, and Ctrl-C is heard. */
const ROUND = 1000;

await runBench({ name: "histories", about: ABOUT, flags: FLAGS }, async ({ runs, seed }, { signal, say }) => {
  const figures: Record<string, Record<string, number>> = {};
  const started = performance.now();
  for (let done = 0; done < runs; done += ROUND) {
    const found = checkHistories(Math.min(ROUND, runs - done), seed + done / ROUND);
    for (const [kind, counts] of Object.entries(found))
      for (const [name, value] of Object.entries(counts))
        (figures[kind] ??= {})[name] = (figures[kind][name] ?? 0) + value;
    say(`${whole(Math.min(runs, done + ROUND))} of ${whole(runs)} histories are right`);
    // The event loop learns of signals only now.
    await new Promise((resolve) => setImmediate(resolve));
    signal.throwIfAborted();
  }
  const seconds = (performance.now() - started) / 1000;
  const machine = describeMachine();
  const rows = Object.entries(figures).flatMap(([kind, counts]) =>
    Object.entries(counts).map(([name, value]) => [`${kind}: ${name}`, whole(value)]),
  );
  const text = formatTable(["", "sum"], [...rows, ["histories", whole(runs)], ["seconds", digits(seconds, 1)]]);
  return { figures: { machine, runs, seed, seconds, figures }, text: `${machineText(machine)}\n${text}` };
});
