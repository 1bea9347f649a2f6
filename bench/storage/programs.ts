import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { Program } from "@tailrace/sandbox";

export const OUTPUTS = ["lines", "k6"] as const;

/** Whose output is stored. */
export type StoredOutputKind = (typeof OUTPUTS)[number];

const SCRIPT = fileURLToPath(new URL("./k6-console.js", import.meta.url));
/** Lines of an iteration of the script, about. */
const LINES_AN_ITERATION = 3;

export const OUTPUT_NAMES: Record<StoredOutputKind, string> = {
  lines: "lines -size 128 -stderr 50",
  k6: "k6 run --log-format json bench/storage/k6-console.js",
};

/** @param rate - lines a second of `lines`; 0 for as fast as possible */
export function commandOf(
  kind: StoredOutputKind,
  { lines, rate }: { lines: number; rate: number },
): { file: string; args: string[] } {
  if (kind === "lines")
    return { file: "lines", args: ["-n", String(lines), "-rate", String(rate), "-size", "128", "-stderr", "50"] };
  const iterations = Math.ceil(lines / LINES_AN_ITERATION);
  return { file: "k6", args: ["run", "--log-format", "json", "--env", `ITERATIONS=${iterations}`, SCRIPT] };
}

/** Runs a program in the place of the sandbox's runners; what it writes is their output. */
export function commandProgram({ file, args }: { file: string; args: readonly string[] }): Program {
  return {
    matches: ({ metadata }) => metadata.labels?.["runner"] === "true",
    async run(output, { resumed, terminated }) {
      await resumed;
      const child = spawn(file, args, { stdio: ["ignore", "pipe", "pipe"], signal: terminated });
      for (const stream of ["stdout", "stderr"] as const)
        child[stream].on("data", (piece: Buffer) => output.write(stream, piece));
      const [code] = (await once(child, "close")) as [number | null];
      return code ?? 137;
    },
  };
}
