import { execFile } from "node:child_process";
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Smaller files are not worth a process. */
const SMALLEST = 128 * 1024;

/**
 * Makes the system forget what it holds of a file, or of the files below a folder, in memory. Who has them open or mapped
 * keeps that.
 *
 * @returns false where there is no way to do that: GNU's `dd` on Linux is the one
 */
export async function dropPageCache(path: string): Promise<boolean> {
  if (process.platform !== "linux") return false;
  // What was not written out yet stays.
  await run("sync", []);
  for (const file of await largeFiles(path)) {
    const dropped = await run("dd", [`if=${file}`, "iflag=nocache", "count=0", "status=none"]).then(
      () => true,
      () => false,
    );
    if (!dropped) return false;
  }
  return true;
}

async function largeFiles(path: string): Promise<string[]> {
  if ((await stat(path)).isFile()) return [path];
  const entries = await readdir(path, { withFileTypes: true, recursive: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const sizes = await Promise.all(files.map((file) => stat(file)));
  return files.filter((_, index) => sizes[index]!.size >= SMALLEST);
}
