// Starts a program, passes signals on to it, and leaves nothing of it behind.

import { spawn } from "node:child_process";
import { constants } from "node:os";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath, pathToFileURL } from "node:url";

const windows = process.platform === "win32";

/** Ctrl-C reaches this process twice under npm: from the terminal, and passed on by npm. */
const SAME_SIGNAL_MS = 300;
const SWEEP_MS = 5000;
const PARENT_POLL_MS = 500;

/**
 * Runs a program in a process group of its own and waits for its end.
 *
 * The group is what makes signals countable: each one comes through here, once. The program is told to end when this
 * process is told, when npm (its parent) is gone, and, if it is a Node program, when this process itself is gone.
 * What is left of the group after the program's end is ended too.
 *
 * Resolves to its exit code, 128 + n for a signal n.
 */
export function runChild(file, args, options = {}) {
  const isNode = file !== "npx" && !windows;
  const guard = isNode ? ["--import", pathToFileURL(fileURLToPath(new URL("end-with-parent.js", import.meta.url))).href] : [];
  const stdio = options.stdio ?? ["inherit", "inherit", "inherit"];
  const child = spawn(file, [...guard, ...args], {
    ...options,
    stdio: isNode ? [...stdio, "ipc"] : stdio,
    detached: !windows,
  });
  return new Promise((resolve, reject) => {
    const stopForwarding = forwardSignals(child);
    child.once("error", (error) => {
      stopForwarding();
      reject(new Error(`Can't start ${file}: ${error.message}`));
    });
    child.once("exit", (code, signal) => {
      void sweep(child.pid).then(() => {
        stopForwarding();
        resolve(code ?? 128 + constants.signals[signal]);
      }, reject);
    });
  });
}
