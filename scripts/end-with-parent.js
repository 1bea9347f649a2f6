// Loaded into a program before its own code, with `?parent=PID`: ends the program when the process that started it is
// gone, however it went. Only the program itself: its own workers and child processes have other parents.

import { isMainThread } from "node:worker_threads";

const parent = new URL(import.meta.url).searchParams.get("parent");

if (isMainThread && process.connected && parent === String(process.ppid)) {
  process.once("disconnect", () => process.kill(process.pid, "SIGTERM"));
  process.channel.unref();
}
