import { readFile, stat } from "node:fs/promises";
import { basename, extname, resolve } from "node:path";
import { ID_PATTERN, ID_RULE } from "@tailrace/core";
import { UsageError } from "./errors.ts";

/** A script on this machine, and the scenario that it becomes. */
export interface ScenarioFile {
  id: string;
  /** The file's name. */
  name: string;
  script: string;
}

/** The scenario id of a file: its name without the extension, in lower case, with `-` for everything that an id can't have. */
export function scenarioIdOfFile(path: string): string | null {
  const stem = basename(path, extname(path));
  const slug = stem
    .normalize("NFKD")
    .toLowerCase()
    .replace(/\p{M}/gu, "")
    .replace(/[^a-z0-9]+/g, "-")
    .slice(0, 63)
    .replace(/^-+|-+$/g, "");
  return ID_PATTERN.test(slug) ? slug : null;
}

/**
 * Reads what the command line names: the file at that path, or null when it can only be a scenario's id.
 *
 * @throws UsageError when it is neither
 */
export async function readScenarioFile(argument: string, cwd: string): Promise<ScenarioFile | null> {
  const path = resolve(cwd, argument);
  const found = await stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT" || error.code === "ENOTDIR") return null;
    throw new UsageError(`can't read ${argument}: ${error.message}`);
  });
  if (found?.isFile() !== true) {
    if (ID_PATTERN.test(argument)) return null;
    throw new UsageError(`${JSON.stringify(argument)} is no file here, and no scenario id either: an id ${ID_RULE}`);
  }
  const id = scenarioIdOfFile(path);
  if (id === null) throw new UsageError(`no scenario can be named after ${argument}: its id ${ID_RULE}`);
  const bytes = await readFile(path).catch((error: Error) => {
    throw new UsageError(`can't read ${argument}: ${error.message}`);
  });
  return { id, name: basename(path), script: decode(bytes, argument) };
}

function decode(bytes: Uint8Array, argument: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (error) {
    if (error instanceof TypeError) throw new UsageError(`${argument} is not UTF-8 text`);
    throw error;
  }
}
