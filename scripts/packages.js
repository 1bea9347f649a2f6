// Installs the packages of pnpm-lock.yaml where they are missing or others.

import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { runChild } from "./run-child.js";

export const root = dirname(dirname(fileURLToPath(import.meta.url)));

const modules = join(root, "node_modules");
const stampFile = join(modules, ".tailrace-installed");
const lockFile = join(modules, ".tailrace-installing");
const windows = process.platform === "win32";

/** The binary itself: the launcher in `.bin` is a shell script that would stand between a signal and Node. */
export const pinnedNode = join(modules, "node/bin", windows ? "node.exe" : "node");

/** Brings node_modules in line with pnpm-lock.yaml. Resolves to the exit code of the installation, 0 when there was nothing to do. */
export async function installPackages() {
  if (isInstalled()) return 0;
  const unlock = await lock();
  try {
    if (isInstalled()) return 0;
    return await install();
  } finally {
    unlock();
  }
}

async function install() {
  const pnpm = readPackage().packageManager;
  const started = Date.now();
  console.error(`Installing packages with ${pnpm} (only when pnpm-lock.yaml has changed) …`);
  const args = ["--yes", pnpm, "install", "--frozen-lockfile", "--prod=false", "--config.confirmModulesPurge=false"];
  // stdout is the command's own: progress goes to stderr.
  const options = { cwd: root, env: installEnvironment(process.env), stdio: ["ignore", 2, 2], shell: windows };
  const code = await runChild("npx", args, options);
  if (code !== 0) {
    console.error(`Installing the packages failed (exit code ${code}). The command was: npx ${args.join(" ")}`);
    return code;
  }
  if (!existsSync(pinnedNode)) throw new Error(`${pinnedNode} is missing after the installation.`);
  writeFileSync(`${stampFile}.new`, stamp());
  renameSync(`${stampFile}.new`, stampFile);
  console.error(`Packages installed in ${Math.round((Date.now() - started) / 1000)} s.`);
  return 0;
}

/** What the installed packages depend on. The path is part of it: launchers name it, and a checkout can be moved. */
function stamp() {
  const lockfile = createHash("sha256")
    .update(readFileSync(join(root, "pnpm-lock.yaml")))
    .digest("hex");
  return [lockfile, process.platform, process.arch, root, ""].join("\n");
}

function isInstalled() {
  return existsSync(pinnedNode) && existsSync(stampFile) && readFileSync(stampFile, "utf8") === stamp();
}

/** What the user says about the way to the registry. Anything else that npm hands to its scripts is about npm's own command. */
const CONNECTION =
  /^npm_config_(?:registry|ca|cafile|cert|key|proxy|https?[_-]proxy|no_?proxy|strict[_-]ssl|cache|userconfig|globalconfig|fetch[_-].*|.*:registry|\/\/.*)$/i;

/** The environment without what `npm run` adds to it: `npm_config_ignore_scripts` or `…_omit` would give other packages. */
function installEnvironment(env) {
  return Object.fromEntries(Object.entries(env).filter(([key]) => !/^npm_/i.test(key) || CONNECTION.test(key)));
}

/** Waits until no other process installs into this checkout. */
async function lock() {
  mkdirSync(modules, { recursive: true });
  for (let told = false; ; told = true) {
    try {
      writeFileSync(lockFile, String(process.pid), { flag: "wx" });
      return () => rmSync(lockFile, { force: true });
    } catch (error) {
      if (error.code !== "EEXIST") throw error;
    }
    const holder = readHolder();
    if (holder !== null && !isAlive(holder)) rmSync(lockFile, { force: true });
    else if (!told) console.error(`Waiting for another installation${holder === null ? "" : ` (pid ${holder})`} …`);
    await delay(200);
  }
}

function readHolder() {
  const text = existsSync(lockFile) ? readFileSync(lockFile, "utf8") : "";
  return /^[1-9]\d*$/.test(text) ? Number(text) : null;
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === "EPERM";
  }
}

function readPackage() {
  return JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
}
