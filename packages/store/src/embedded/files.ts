import { readFile, stat } from "node:fs/promises";

export function nullIfMissing(error: NodeJS.ErrnoException): null {
  if (error.code !== "ENOENT") throw error;
  return null;
}

export function readIfThere(path: string): Promise<string | null> {
  return readFile(path, "utf8").catch(nullIfMissing);
}

export async function isThere(path: string): Promise<boolean> {
  return (await stat(path).catch(nullIfMissing)) !== null;
}
