import { accessSync, constants, statSync } from "node:fs";
import { delimiter, join, resolve } from "node:path";

/**
 * The k6 to run: the one that is named, else the first on the path.
 *
 * @returns null when the path has none
 * @throws Error when the one that is named can't be run
 */
export function findK6(named: string | undefined, path: string): string | null {
  if (named !== undefined && named !== "") {
    const whole = resolve(named);
    if (!isExecutable(whole)) throw new Error(`${whole} is not an executable k6`);
    return whole;
  }
  const candidates = path
    .split(delimiter)
    .filter((folder) => folder !== "")
    .map((folder) => join(folder, "k6"));
  return candidates.find(isExecutable) ?? null;
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}
