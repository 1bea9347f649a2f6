import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

/** The real k6 of this machine, if there is one; without it sandbox runs are replays. */
export const K6_PATH: string | null = findK6();

/** Why tests that need a script to really run are skipped. */
export const WITHOUT_K6 =
  "k6 is not installed on this machine: the sandbox replays recorded output, whatever the script does";

function findK6(): string | null {
  const candidates = [
    process.env["K6_BIN"],
    ...(process.env["PATH"] ?? "").split(delimiter).map((folder) => join(folder, "k6")),
  ];
  for (const candidate of candidates) {
    if (!candidate) continue;
    try {
      accessSync(candidate, constants.X_OK);
      return candidate;
    } catch {
      continue;
    }
  }
  return null;
}
