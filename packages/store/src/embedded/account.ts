import { stat } from "node:fs/promises";
import { dirname } from "node:path";
import { nullIfMissing, readIfThere } from "./files.ts";

/** A user of the system under which PostgreSQL runs, other than this process's own. */
export interface Account {
  uid: number;
  gid: number;
}

const READ = 0o4;
const ENTER = 0o1;

/**
 * PostgreSQL refuses to run as root. As root this names whom to become: the owner of data that exists, else `nobody`,
 * who is there on every system, so that no account is made. As anybody else it is null: PostgreSQL runs as this user.
 */
export async function serverAccount(pgdata: string): Promise<Account | null> {
  if (process.geteuid?.() !== 0) return null;
  const data = await stat(pgdata).catch(nullIfMissing);
  return data !== null && data.uid !== 0 ? { uid: data.uid, gid: data.gid } : nobody();
}

async function nobody(): Promise<Account> {
  const passwd = (await readIfThere("/etc/passwd")) ?? "";
  const [, uid, gid] = /^nobody:[^:]*:(-?\d+):(-?\d+):/m.exec(passwd) ?? [];
  // macOS writes its 32-bit ids with a sign.
  return uid === undefined || gid === undefined ? { uid: 65534, gid: 65534 } : { uid: +uid >>> 0, gid: +gid >>> 0 };
}

/** True when the account may enter the directory, which needs the permission on each one above it too. */
export async function canEnter(directory: string, account: Account): Promise<boolean> {
  const parent = dirname(directory);
  if (!(await allows(directory, account, ENTER))) return false;
  return parent === directory || canEnter(parent, account);
}

/** True when the account may enter and list the directory, or read and run the file, that is at `path`. */
export async function canUse(path: string, account: Account): Promise<boolean> {
  return (await canEnter(dirname(path), account)) && (await allows(path, account, READ | ENTER));
}

async function allows(path: string, account: Account, bits: number): Promise<boolean> {
  const { mode, uid, gid } = await stat(path);
  const shift = uid === account.uid ? 6 : gid === account.gid ? 3 : 0;
  return ((mode >> shift) & bits) === bits;
}
