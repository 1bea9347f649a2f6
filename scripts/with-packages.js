#!/usr/bin/env node
// Runs one of the project's commands, with its packages installed and on its own pinned Node.
//
//   node scripts/with-packages.js demo|start|test|cli|install [arguments]
//
// Needs Node 20 or later and npm, nothing else.

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { installPackages, pinnedNode, root } from "./packages.js";
import { runNode } from "./run-child.js";

// Neither garbage nor what the C library keeps for each thread is left to grow with the machine.
const serverProcess = JSON.parse(readFileSync(new URL("server-process.json", import.meta.url), "utf8"));
const server = [...serverProcess.arguments, join(root, "apps/server/src/main.ts")];

const commands = {
  demo: { arguments: [...server, "demo"], cwd: root, env: serverProcess.env },
  start: { arguments: [...server, "start"], cwd: root, env: serverProcess.env },
  test: { arguments: [join(root, "node_modules/vitest/vitest.mjs"), "run"], cwd: root },
  cli: {
    arguments: ["--conditions=source", join(root, "apps/cli/src/main.ts")],
    // npm changes into the package's folder; files named on the command line are the caller's.
    cwd: process.env.INIT_CWD ?? process.cwd(),
  },
  install: null,
};

// What Node.js makes of the TypeScript sources is kept: half of the CPU time of a start.
const compileCache = { NODE_COMPILE_CACHE: join(root, "node_modules/.cache/compiled") };

const [name = "", ...rest] = process.argv.slice(2);
const oldestNode = 20;

if (Number(process.versions.node.split(".")[0]) < oldestNode) {
  fail(`Tailrace needs Node ${oldestNode} or later, and this is ${process.version} (${process.execPath}).`);
} else if (!Object.hasOwn(commands, name)) {
  fail(`Usage: node scripts/with-packages.js ${Object.keys(commands).join("|")} [arguments]`);
} else {
  await main(commands[name]);
}

async function main(command) {
  try {
    process.exitCode = await installPackages();
    if (process.exitCode !== 0 || command === null) return;
    if (!existsSync(command.cwd)) return fail(`The folder ${command.cwd} does not exist.`);
    const env = { ...compileCache, ...command.env, ...process.env };
    process.exitCode = await runNode(pinnedNode, [...command.arguments, ...rest], { cwd: command.cwd, env });
  } catch (error) {
    fail(error instanceof Error ? error.message : String(error));
  }
}

function fail(message) {
  console.error(message);
  process.exitCode = 1;
}
