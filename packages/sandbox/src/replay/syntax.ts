import { execFile } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";

/** What is wrong with the syntax of a script, in Node's words, or null. */
export type SyntaxCheck = (file: string) => Promise<string | null>;

/**
 * Checks scripts with `node --check`: one at a time, since each is a process, and each text once. TypeScript is not
 * checked, since k6 and Node do not take the same.
 */
export function createSyntaxCheck(): SyntaxCheck {
  const known = new Map<string, Promise<string | null>>();
  let last: Promise<unknown> = Promise.resolve();
  return async (file) => {
    if (!/\.m?js$/.test(file)) return null;
    const text = await readFile(file, "utf8");
    const before = known.get(text);
    if (before !== undefined) return await before;
    const result = last.then(() => check(file, text));
    known.set(text, result);
    last = result;
    return await result;
  };
}

/** A script without import and export is a module too. */
async function check(file: string, text: string): Promise<string | null> {
  const copy = `${file.replace(/\.m?js$/, "")}.sandbox-check.mjs`;
  await writeFile(copy, text);
  return await new Promise((resolve) => {
    execFile(process.execPath, ["--check", copy], { env: {} }, (error, _stdout, stderr) => {
      resolve(error === null ? null : (/^SyntaxError: (.*)$/m.exec(stderr)?.[1] ?? null));
    });
  });
}
