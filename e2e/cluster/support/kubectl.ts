import { execFile } from "node:child_process";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Runs kubectl, as people do by the README. @returns what it wrote on stdout, without the newline at its end */
export async function kubectl(...args: string[]): Promise<string> {
  const { stdout } = await run("kubectl", args);
  return stdout.trimEnd();
}

/** Runs a shell command and waits for its end. */
export async function shell(command: string): Promise<void> {
  await run("sh", ["-c", command]);
}
