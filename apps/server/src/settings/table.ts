import { DEFINITIONS, type Definition } from "./definitions.ts";

/** The settings as a Markdown table, for the README. */
export function settingsTable(): string {
  const rows = Object.values(DEFINITIONS).map(({ env, fallback, description }: Definition<unknown>) => {
    return `| \`${env}\` | ${fallback === null ? "–" : `\`${fallback}\``} | ${description} |`;
  });
  return ["| variable | default | meaning |", "| --- | --- | --- |", ...rows].join("\n");
}
