// Puts the pinned Node itself where pnpm puts a shell script that starts it. npm has `.bin` first on the PATH of its
// scripts: with that script in between, a signal to npm would not reach what Node runs.

import { existsSync, rmSync, symlinkSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const modules = join(dirname(dirname(fileURLToPath(import.meta.url))), "node_modules");
const launcher = join(modules, ".bin/node");

if (process.platform !== "win32" && existsSync(join(modules, "node/bin/node"))) {
  rmSync(launcher, { force: true });
  symlinkSync("../node/bin/node", launcher);
}
