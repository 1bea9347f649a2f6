import { DEFINITIONS, type Definition } from "./definitions.ts";

const BEGIN = "<!-- settings: begin (npm run readme) -->";
const END = "<!-- settings: end -->";

/** The settings as a Markdown table. */
export function settingsTable(): string {
  const rows = Object.values(DEFINITIONS).map(({ env, fallback, description }: Definition<unknown>) => {
    return `| \`${env}\` | ${fallback === null ? "–" : `\`${fallback}\``} | ${description} |`;
  });
  return ["| variable | default | meaning |", "| --- | --- | --- |", ...rows].join("\n");
}

/** A document with the table between its markers. */
export function withSettingsTable(document: string, table: string): string {
  const begin = document.indexOf(BEGIN);
  const end = document.indexOf(END);
  if (begin === -1 || end < begin) throw new Error(`the document lacks the markers ${BEGIN} and ${END}`);
  return `${document.slice(0, begin + BEGIN.length)}\n\n${table}\n\n${document.slice(end)}`;
}
