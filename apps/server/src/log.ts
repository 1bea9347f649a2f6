import { pino, type Logger } from "pino";
import { PinoPretty } from "pino-pretty";
import type { Settings } from "./settings/definitions.ts";

/** The server's own log, on stderr: JSON lines, or readable ones on a terminal. */
export function openLog(settings: Pick<Settings, "logLevel" | "logFormat">, terminal: boolean): Logger {
  const pretty = settings.logFormat === "pretty" || (settings.logFormat === "auto" && terminal);
  const options = { level: settings.logLevel, base: null };
  if (!pretty) return pino(options, pino.destination({ dest: 2, sync: true }));
  return pino(options, PinoPretty({ destination: 2, sync: true, translateTime: "HH:MM:ss", colorize: terminal }));
}
