/** What this package needs of a logger; a pino logger fits. */
export interface Logger {
  debug(details: object, message: string): void;
  info(details: object, message: string): void;
  warn(details: object, message: string): void;
  error(details: object, message: string): void;
}

function discard(): void {}

/** Says nothing. */
export const silentLogger: Logger = { debug: discard, info: discard, warn: discard, error: discard };

/** Hands warnings and errors to Node (`process.on("warning")`, else stderr), and says nothing else. */
export const processWarnings: Logger = { debug: discard, info: discard, warn: emit, error: emit };

function emit(details: object, message: string): void {
  process.emitWarning(`${message}: ${JSON.stringify(details)}`, "TailraceWarning");
}
