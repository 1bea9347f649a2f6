import { randomBytes } from "node:crypto";
import { mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { DatabaseError } from "../database-error.ts";
import { processStart, UNKNOWN_START } from "./process-start.ts";

const CLAIM_TIMEOUT_MS = 5_000;

/** `<pid>.<start>.<random>.claim`, and `.held` beside it once it counts; empty files, so they are never half written. */
const FILE = /^(\d+)\.([a-z0-9]+)\.[0-9a-f]+\.(claim|held)$/;

/**
 * Makes this process the only one that uses `directory`. Each claimant first makes its own file and then looks for
 * others, so of two at the same time at least one sees the other and steps back. A file counts only as long as its
 * process lives, told by pid and start time; a SIGKILL leaves nothing that must be cleared by hand.
 *
 * @returns what gives it up again
 * @throws DatabaseError `embedded_in_use`, which names the pid of the holder
 */
export async function claimDirectory(directory: string, signal?: AbortSignal): Promise<() => Promise<void>> {
  const owners = join(directory, "owners");
  await mkdir(owners, { recursive: true, mode: 0o700 });
  const name = `${process.pid}.${(await processStart(process.pid)) ?? UNKNOWN_START}.${randomBytes(8).toString("hex")}`;
  const claim = join(owners, `${name}.claim`);
  const held = join(owners, `${name}.held`);
  const release = async (): Promise<void> => {
    await rm(held, { force: true });
    await rm(claim, { force: true });
  };
  for (const deadline = Date.now() + CLAIM_TIMEOUT_MS; ;) {
    signal?.throwIfAborted();
    await writeFile(claim, "", { flag: "wx", mode: 0o600 });
    const others = await findLiveOwners(owners, name);
    if (others.length === 0) {
      await writeFile(held, "", { flag: "wx", mode: 0o600 });
      return release;
    }
    await release();
    const holder = others.find((other) => other.held) ?? (Date.now() > deadline ? others[0] : undefined);
    if (holder !== undefined)
      throw new DatabaseError(
        "embedded_in_use",
        `the embedded PostgreSQL in ${directory} is in use by the process ${holder.pid}; ` +
          "stop that one, or set another TAILRACE_DATA_DIR or a DATABASE_URL",
      );
    await sleep(20 + Math.random() * 100);
  }
}

async function findLiveOwners(owners: string, own: string): Promise<{ pid: number; held: boolean }[]> {
  const live: { pid: number; held: boolean }[] = [];
  for (const file of await readdir(owners)) {
    const [, pid, start, state] = FILE.exec(file) ?? [];
    if (pid === undefined || file.startsWith(`${own}.`)) continue;
    const now = await processStart(Number(pid));
    if (now !== null && (now === start || now === UNKNOWN_START || start === UNKNOWN_START))
      live.push({ pid: Number(pid), held: state === "held" });
    else await rm(join(owners, file), { force: true });
  }
  return live;
}
