import { createHash, randomBytes } from "node:crypto";
import { chmod, mkdir, readFile, realpath, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseError } from "../database-error.ts";
import { canEnter, serverAccount, type Account } from "./account.ts";

/** Where root keeps what an unprivileged account must reach and `dataDir` hides from it. */
const ROOT_DIRECTORY = "/var/lib/tailrace";

export interface Location {
  /** What belongs to one database: `pgdata`, `password`, `postgres.log`, `owners`. */
  directory: string;
  /** What was asked for, when `directory` is another one. */
  movedFrom: string | null;
  /** Where binaries go that can't be run where they were installed. */
  binaries: string;
  account: Account | null;
}

/**
 * `dataDir` itself, where PostgreSQL can run in it. As root that needs a path that anybody may enter; else the data
 * goes below {@link ROOT_DIRECTORY}, under a name made of the path and of an id that is kept in `dataDir`: the same
 * at each start, but another one for a `dataDir` that was deleted and made again, or copied.
 */
export async function locate(dataDir: string): Promise<Location> {
  await mkdir(dataDir, { recursive: true });
  const own = await realpath(dataDir);
  const account = await serverAccount(join(own, "pgdata"));
  if (account === null) return { directory: own, movedFrom: null, binaries: join(own, "binaries"), account };
  if (await canEnter(own, account)) return { directory: own, movedFrom: null, binaries: ROOT_DIRECTORY, account };
  const name = createHash("sha256")
    .update(`${own}\0${await readInstanceId(own)}`)
    .digest("hex")
    .slice(0, 16);
  const directory = join(ROOT_DIRECTORY, name);
  await openDirectory(ROOT_DIRECTORY, account);
  await openDirectory(directory, account);
  return {
    directory,
    movedFrom: own,
    binaries: ROOT_DIRECTORY,
    account: await serverAccount(join(directory, "pgdata")),
  };
}

/** Makes it enterable by everybody and listable by its owner alone, whatever the umask; one that exists stays as it is. */
export async function openDirectory(path: string, account: Account | null): Promise<void> {
  if ((await mkdir(path, { recursive: true })) !== undefined) await chmod(path, 0o711);
  if (account !== null && !(await canEnter(path, account)))
    throw new DatabaseError("embedded_failed", `the user ${account.uid} must be able to enter ${path}`);
}

async function readInstanceId(directory: string): Promise<string> {
  const path = join(directory, "instance");
  await writeFile(path, randomBytes(16).toString("hex"), { flag: "wx", mode: 0o600 }).catch(unlessExists);
  return readFile(path, "utf8");
}

function unlessExists(error: NodeJS.ErrnoException): void {
  if (error.code !== "EEXIST") throw error;
}
