import { type TailraceClient, createClient } from "@tailrace/client";
import { type Environment, readEnvironment } from "./environment.ts";
import { UsageError } from "./errors.ts";
import { type Output, type Screen, createScreen } from "./terminal/screen.ts";
import { type Style, createStyle, wantsColor } from "./terminal/style.ts";

/** The outside world of the program. */
export interface Io {
  stdout: Output;
  stderr: Output;
  env: Readonly<Record<string, string | undefined>>;
  cwd: string;
  /** Calls back for each Ctrl-C until the function that it returns is called. */
  onInterrupt(listener: () => void): () => void;
}

/** The options that every command has. */
export interface CommonOptions {
  url?: string;
  token?: string;
  team?: string;
  json?: boolean;
  color: boolean;
}

/** What a command works with. */
export interface Context {
  io: Io;
  url: string;
  team: string;
  client: TailraceClient;
  screen: Screen;
  styles: { line: Style; note: Style };
}

/** Options of the command line come before the environment. With `--json`, stdout holds the JSON alone. */
export function createContext(io: Io, options: CommonOptions): Context {
  const environment = readEnvironment(io.env);
  const url = options.url ?? environment.url;
  const lines = options.json === true ? io.stderr : io.stdout;
  return {
    io,
    url: url.replace(/\/$/, ""),
    team: options.team ?? environment.team,
    client: connect(url, options.token ?? environment.token),
    screen: createScreen(lines, io.stderr),
    styles: { line: styleOf(lines, environment, options), note: styleOf(io.stderr, environment, options) },
  };
}

function connect(url: string, token: string | undefined): TailraceClient {
  try {
    return createClient({ url, token });
  } catch (error) {
    if (error instanceof TypeError) throw new UsageError(error.message);
    throw error;
  }
}

function styleOf(output: Output, environment: Environment, options: CommonOptions): Style {
  return createStyle(options.color && wantsColor(environment.color, output.isTTY === true));
}

/** Prints a value as one JSON document. */
export function printJson(io: Io, value: unknown): void {
  io.stdout.write(`${JSON.stringify(value, null, 2)}\n`);
}
