import { type CommonOptions, type Io, createContext, printJson } from "../context.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { sanitizeLine } from "../terminal/sanitize.ts";

/** Prints a run's snapshot with its headers: as it is into a file or a pipe, made harmless on a terminal. */
export async function logsCommand(io: Io, runId: string, options: CommonOptions): Promise<ExitCode> {
  const { client, team: teamId, screen, styles } = createContext(io, options);
  const snapshot = await client.logs.snapshot.query({ teamId, runId });
  if (options.json === true) {
    printJson(io, snapshot);
  } else if (io.stdout.isTTY === true) {
    const lines = snapshot.text.replace(/\n$/, "").split("\n");
    screen.line(
      ...lines.map((line) => {
        const text = sanitizeLine(line, styles.line.isColorSupported);
        return line.startsWith("=== Container: ") ? styles.line.bold(text) : text;
      }),
    );
  } else {
    io.stdout.write(snapshot.text);
  }
  return EXIT.ok;
}
