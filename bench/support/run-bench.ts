import { describeFlags, parseFlags, type Flags, type FlagValues } from "./flags.ts";

export interface BenchDefinition<F extends Flags> {
  name: string;
  /** What is measured, and what it needs; some lines. */
  about: string;
  flags: F;
}

/** What a bench works with. Everything that it starts goes into `parts`, and is ended also after SIGINT. */
export interface BenchContext {
  signal: AbortSignal;
  parts: AsyncDisposableStack;
  /** Tells on stderr what is done now. */
  say: (text: string) => void;
}

export interface BenchReport {
  /** With `--json`. */
  figures: object;
  /** Without. */
  text: string;
}

/** Reads the command line, measures and prints. The exit code says whether it was measured, never how fast it was. */
export async function runBench<F extends Flags>(
  { name, about, flags }: BenchDefinition<F>,
  measure: (values: FlagValues<F>, context: BenchContext) => Promise<BenchReport>,
): Promise<void> {
  const parsed = parseFlags(flags, process.argv.slice(2));
  if (parsed.kind === "help") {
    process.stdout.write(`node --conditions=source bench/${name}.ts [flags]\n\n${about}\n\n${describeFlags(flags)}`);
    return;
  }
  if (parsed.kind === "problem") {
    process.stderr.write(`bench/${name}.ts: ${parsed.message}; --help lists the flags\n`);
    process.exitCode = 2;
    return;
  }
  const interrupt = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => interrupt.abort(signal));
  const { signal } = interrupt;
  const say = (text: string): void => void process.stderr.write(`${name}: ${text}\n`);
  try {
    await using parts = new AsyncDisposableStack();
    const { figures, text } = await measure(parsed.values, { signal, parts, say });
    process.stdout.write(parsed.json ? `${JSON.stringify(figures, null, 2)}\n` : text);
  } catch (error) {
    if (!signal.aborted) throw error;
    say(`ended by ${String(signal.reason)}`);
    process.exitCode = 130;
  }
}
