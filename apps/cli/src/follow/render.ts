import { sanitizeLine } from "../terminal/sanitize.ts";
import type { Style } from "../terminal/style.ts";
import type { ContainerLabel } from "./label.ts";
import type { FollowEvent } from "./read-snapshot.ts";

/** Neighbouring runners differ; red is left to errors. */
const RUNNER_COLORS = ["cyan", "green", "yellow", "magenta", "blueBright", "cyanBright", "greenBright"] as const;

/** The lines of an event, each behind its container's name. */
export function renderEvent(event: FollowEvent, width: number, style: Style): string[] {
  const prefix = renderPrefix(event.label, width, style);
  switch (event.kind) {
    case "lines":
      return event.lines.map((line) => `${prefix} ${sanitizeLine(line, style.isColorSupported)}`.trimEnd());
    case "missing":
      return [`${prefix} ${style.yellow(missingText(event.certain, event.held))}`];
    case "notice":
      return [`${prefix} ${style.yellow(sanitizeLine(event.text, false))}`];
  }
}

function missingText(certain: boolean, held: number): string {
  const what = certain ? "… lines not shown" : "… earlier lines may be missing";
  return `${what} (snapshot holds the last ${held} lines)`;
}

function renderPrefix(label: ContainerLabel, width: number, style: Style): string {
  const text = `${sanitizeLine(label.text, false).padEnd(width)} │`;
  if (label.role !== "runner") return style.blue(text);
  return style[RUNNER_COLORS[(label.runner - 1) % RUNNER_COLORS.length] ?? "cyan"](text);
}
