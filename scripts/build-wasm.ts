// Compiles packages/core/assembly/entries.ts and writes it down as packages/core/src/logs/node/entries-wasm.ts, which is kept
// in the repository: whoever runs Tailrace needs no compiler. With --check it only says whether that file is up to date.

import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** Its compiler and optimizer are 100 MB, which is why it is no dependency. */
const COMPILER = "assemblyscript@0.28.20";

const SOURCE = fileURLToPath(new URL("../packages/core/assembly/entries.ts", import.meta.url));
const TARGET = fileURLToPath(new URL("../packages/core/src/logs/node/entries-wasm.ts", import.meta.url));

const OPTIONS = ["-O3", "--noAssert", "--runtime", "stub", "--enable", "simd", "--memoryBase", "0"];
const MEMORY = ["--initialMemory", "4", "--maximumMemory", "4"];

const module = moduleOf(compile());
if (!process.argv.includes("--check")) writeFileSync(TARGET, module);
else if (readFileSync(TARGET, "utf8") !== module) {
  process.exitCode = 1;
  console.error("entries-wasm.ts is not what entries.ts compiles to; node --conditions=source scripts/build-wasm.ts");
}

function compile(): Buffer {
  const folder = mkdtempSync(join(tmpdir(), "tailrace-wasm-"));
  try {
    const output = join(folder, "entries.wasm");
    const args = ["--yes", "--package", COMPILER, "asc", SOURCE, ...OPTIONS, ...MEMORY, "--outFile", output];
    execFileSync("npx", args, { stdio: ["ignore", "inherit", "inherit"] });
    return readFileSync(output);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function moduleOf(wasm: Buffer): string {
  return `// Made by scripts/build-wasm.ts from packages/core/assembly/entries.ts; do not edit.

/** In base64. */
export const ENTRIES_WASM =
  "${wasm.toString("base64")}";
`;
}
