import { parseArgs } from "node:util";

/** A flag that takes a value. */
export interface Flag<T> {
  fallback: T;
  /** The fallback as it is written, for the help. */
  shown?: string;
  /** What the value is, for the help. */
  help: string;
  /** Throws a RangeError for a value that is none. */
  read: (text: string) => T;
}

export type Flags = Readonly<Record<string, Flag<unknown>>>;

export type FlagValues<F extends Flags> = { [K in keyof F]: F[K] extends Flag<infer T> ? T : never };

/** A whole number that is at least `least`. (Default: 1) */
export function count(fallback: number, help: string, least = 1): Flag<number> {
  return {
    fallback,
    shown: String(fallback),
    help,
    read(text) {
      const value = Number(text.replaceAll("_", ""));
      if (Number.isInteger(value) && value >= least) return value;
      throw new RangeError(`must be an integer from ${least}`);
    },
  };
}

/** Any text; null where it is not given. */
export function optionalText(help: string): Flag<string | null> {
  return { fallback: null, help, read: (value) => value };
}

export function text(fallback: string, help: string): Flag<string> {
  return { fallback, shown: fallback, help, read: (value) => value };
}

/** Some of the words, separated by commas. (Default: all) */
export function someOf<Word extends string>(words: readonly Word[], help: string): Flag<readonly Word[]> {
  return {
    fallback: words,
    shown: words.join(","),
    help,
    read(value) {
      const named = value.split(",");
      const known = words.filter((word) => named.includes(word));
      if (known.length === named.length) return known;
      throw new RangeError(`must be some of ${words.join(",")}`);
    },
  };
}

/** Whole numbers, separated by commas. */
export function counts(fallback: readonly number[], help: string): Flag<readonly number[]> {
  const { read } = count(1, help);
  return { fallback, shown: fallback.join(","), help, read: (value) => value.split(",").map(read) };
}

export type ParsedFlags<F extends Flags> =
  | { kind: "help" }
  | { kind: "problem"; message: string }
  | { kind: "values"; json: boolean; values: FlagValues<F> };

/** Every flag is `--name value`; `--json` and `--help` are flags of every bench. */
export function parseFlags<F extends Flags>(flags: F, args: readonly string[]): ParsedFlags<F> {
  const options = Object.fromEntries(Object.keys(flags).map((name) => [name, { type: "string" as const }]));
  try {
    const parsed = parseArgs({
      args: [...args],
      options: { ...options, json: { type: "boolean" }, help: { type: "boolean" } },
    });
    const values: Record<string, unknown> = parsed.values;
    if (values["help"] === true) return { kind: "help" };
    const read = Object.entries(flags).map(([name, flag]) => [name, readFlag(name, flag, values[name])]);
    return { kind: "values", json: values["json"] === true, values: Object.fromEntries(read) as FlagValues<F> };
  } catch (error) {
    return { kind: "problem", message: (error as Error).message };
  }
}

function readFlag(name: string, flag: Flag<unknown>, value: unknown): unknown {
  if (typeof value !== "string") return flag.fallback;
  try {
    return flag.read(value);
  } catch (error) {
    throw new RangeError(`--${name} ${(error as Error).message}`, { cause: error });
  }
}

export function describeFlags(flags: Flags): string {
  const rows = Object.entries(flags).map(([name, { help, shown }]): [string, string] => {
    return [`--${name}`, shown === undefined ? help : `${help} (${shown})`];
  });
  rows.push(["--json", "figures as JSON in the place of the table"], ["--help", "this text"]);
  const width = Math.max(...rows.map(([name]) => name.length));
  return rows.map(([name, help]) => `  ${name.padEnd(width)}  ${help}\n`).join("");
}
