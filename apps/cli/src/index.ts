import { CommanderError } from "commander";
import type { Io } from "./context.ts";
import { explainFailure } from "./errors.ts";
import { EXIT, type ExitCode } from "./exit-codes.ts";
import { createProgram } from "./program.ts";
import { sanitizeLine } from "./terminal/sanitize.ts";

export type { Io } from "./context.ts";
export type { Output } from "./terminal/screen.ts";

/**
 * Runs the command line.
 *
 * @param args - without the program's own name
 * @returns the exit code
 */
export async function runCli(args: readonly string[], io: Io): Promise<ExitCode> {
  let code: ExitCode = EXIT.ok;
  const program = createProgram(io, (result) => (code = result));
  try {
    await program.parseAsync(args, { from: "user" });
    return code;
  } catch (error) {
    // It has said what was wrong; help and version are no failure.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    const failure = explainFailure(error);
    if (failure === null) throw error;
    for (const [index, line] of failure.lines.entries()) {
      io.stderr.write(`${index === 0 ? "tailrace: " : ""}${sanitizeLine(line, false)}\n`);
    }
    return failure.code;
  }
}
