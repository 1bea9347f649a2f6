// Starts a program, passes signals on to it, and leaves nothing of it behind.

import { spawn } from "node:child_process";
import { constants } from "node:os";
import { setTimeout as delay } from "node:timers/promises";

const windows = process.platform === "win32";

/** Ctrl-C comes here twice under npm: from the terminal, and passed on by npm. */
const SAME_SIGNAL_MS = 300;
const PARENT_POLL_MS = 500;
const LEFTOVERS_MS = 5000;

/**
 * Runs a program in a process group of its own and waits for its end.
 *
 * The group is what makes signals countable: each comes through here, once. The program is told to end when this
 * process is told, and when npm, this process's parent, is gone. What is left of the group after the program's end is
 * ended too.
 *
 * Resolves to the program's exit code, 128 + n for a signal n.
 */
export function runChild(file, args, options = {}) {
  const child = spawn(file, args, { stdio: "inherit", detached: !windows, ...options });
  return new Promise((resolve, reject) => {
    const stopForwarding = forwardSignals(child);
    child.once("error", (error) => {
      stopForwarding();
      reject(new Error(`Can't start ${file}: ${error.message}`));
    });
    child.once("exit", (code, signal) => {
      const exitCode = code ?? 128 + constants.signals[signal];
      void endLeftovers(child.pid).then(() => {
        stopForwarding();
        resolve(exitCode);
      }, reject);
    });
  });
}

/** As {@link runChild}, for a Node program: it is told to end also when this process is killed without a chance to say so. */
export function runNode(node, args, options = {}) {
  const guard = new URL(`end-with-parent.js?parent=${process.pid}`, import.meta.url).href;
  const stdio = ["inherit", "inherit", "inherit", "ipc"];
  return runChild(node, [`--import=${guard}`, ...args], { stdio, ...options });
}

function forwardSignals(child) {
  const lastAt = new Map();
  const forward = (signal) => {
    const now = Date.now();
    const isRepeat = now - (lastAt.get(signal) ?? -Infinity) < SAME_SIGNAL_MS;
    lastAt.set(signal, now);
    if (!isRepeat || signal === "SIGWINCH") child.kill(signal);
  };
  const signals = windows ? ["SIGINT"] : ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGWINCH"];
  for (const signal of signals) process.on(signal, forward);

  const parent = process.ppid;
  const underNpm = process.env.npm_lifecycle_event !== undefined;
  const watch = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(watch);
    forward("SIGTERM");
  }, PARENT_POLL_MS);
  if (!underNpm) clearInterval(watch);

  return () => {
    clearInterval(watch);
    for (const signal of signals) process.off(signal, forward);
  };
}

/** Ends what the program left in its group: asks, then kills. Processes that ended and that nobody collects stay in a group. */
async function endLeftovers(group) {
  if (windows || !signalGroup(group, "SIGTERM")) return;
  const deadline = Date.now() + LEFTOVERS_MS;
  while (Date.now() < deadline) {
    if (!signalGroup(group, 0)) return;
    await delay(50);
  }
  signalGroup(group, "SIGKILL");
}

/** False when the group is empty. */
function signalGroup(group, signal) {
  try {
    return process.kill(-group, signal);
  } catch (error) {
    if (error.code === "ESRCH" || error.code === "EPERM") return false;
    throw error;
  }
}
