import { pino, type Logger } from "pino";

/** One line of a server's log. */
export type LogLine = { level: number; msg: string } & Record<string, unknown>;

/** A log that is kept. */
export function collectLog(): { log: Logger; lines: () => LogLine[] } {
  const lines: LogLine[] = [];
  const write = (text: string): void => void lines.push(JSON.parse(text) as LogLine);
  return { log: pino({ base: null, timestamp: false }, { write }), lines: () => lines };
}
