import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { DatabaseError, migrate } from "../src/index.ts";
import { refuseMigration, refuseServer } from "../src/migration-plan.ts";
import { testDatabase } from "../src/testing.ts";
import { query } from "./support.ts";

const FOLDER = fileURLToPath(new URL("../../../drizzle", import.meta.url));
const APPLIED = "select created_at::text, hash from drizzle.__drizzle_migrations order by id";

async function journalLength(): Promise<number> {
  const text = await readFile(join(FOLDER, "meta/_journal.json"), "utf8");
  return (JSON.parse(text) as { entries: unknown[] }).entries.length;
}

/** A copy of the migrations with one more, as a later version of the project has. */
async function laterMigrations(sql: string): Promise<{ folder: string } & AsyncDisposable> {
  const folder = await mkdtemp(join(tmpdir(), "tailrace-migrations-"));
  await cp(FOLDER, folder, { recursive: true });
  const path = join(folder, "meta/_journal.json");
  const journal = JSON.parse(await readFile(path, "utf8")) as { entries: { when: number }[] };
  const when = journal.entries.at(-1)!.when + 1000;
  const idx = journal.entries.length;
  journal.entries.push(Object.assign({ idx, version: "7", tag: "9999_later", breakpoints: true }, { when }));
  await writeFile(path, JSON.stringify(journal));
  await writeFile(join(folder, "9999_later.sql"), sql);
  return { folder, [Symbol.asyncDispose]: () => rm(folder, { recursive: true }) };
}

describe("migrate", () => {
  test("makes the tables in an empty database, and a second time changes nothing", async () => {
    await using database = await testDatabase({ empty: true });
    await migrate(database.url);
    const applied = await query(database.url, APPLIED);
    expect(applied).toHaveLength(await journalLength());
    await migrate(database.url);
    expect(await query(database.url, APPLIED)).toEqual(applied);
  });

  test.each([1, 2])("is safe when eight start at once (%s)", async () => {
    await using database = await testDatabase({ empty: true });
    await Promise.all(Array.from({ length: 8 }, () => migrate(database.url)));
    expect(await query(database.url, APPLIED)).toHaveLength(await journalLength());
    await Promise.all(Array.from({ length: 8 }, () => migrate(database.url)));
    expect(await query(database.url, APPLIED)).toHaveLength(await journalLength());
  });

  test("keeps what is stored when a later version adds to it", async () => {
    await using database = await testDatabase();
    await using later = await laterMigrations("alter table teams add column motto text not null default 'go'");
    await query(database.url, "insert into teams (id, name) values ('a', 'A')");
    await migrate(database.url, { migrationsFolder: later.folder });
    expect(await query(database.url, "select name, motto from teams")).toEqual([{ name: "A", motto: "go" }]);
  });

  test("refuses a newer database, names the migration, and leaves it alone", async () => {
    await using database = await testDatabase();
    await using later = await laterMigrations("create table later (id int)");
    await migrate(database.url, { migrationsFolder: later.folder });
    const applied = await query(database.url, APPLIED);
    const error = await migrate(database.url).catch((failure: unknown) => failure);
    expect(error).toBeInstanceOf(DatabaseError);
    expect(error).toMatchObject({ code: "database_newer", message: expect.stringContaining("newer than this build") });
    const when = new Date(Number(applied.at(-1)!["created_at"])).toISOString();
    expect((error as Error).message).toContain(when);
    expect(await query(database.url, APPLIED)).toEqual(applied);
  });

  test("a migration that fails leaves the database as it was, and says why", async () => {
    await using database = await testDatabase();
    await using later = await laterMigrations("create table half (id int);--> statement-breakpoint\nselect nonsense");
    const failed = migrate(database.url, { migrationsFolder: later.folder });
    await expect(failed).rejects.toMatchObject({
      code: "migration_failed",
      message: expect.stringContaining("nonsense"),
    });
    expect(await query(database.url, "select to_regclass('half') as half")).toEqual([{ half: null }]);
    await migrate(database.url);
  });

  test("names host and port of a server that is not there, and never the password", async () => {
    const error = await migrate("postgres://user:secret@127.0.0.1:1/db").catch((failure: unknown) => failure);
    expect(error).toMatchObject({ code: "unreachable", message: expect.stringContaining("127.0.0.1:1") });
    expect(JSON.stringify(error, Object.getOwnPropertyNames(error))).not.toContain("secret");
  });

  test("says what the server refuses", async () => {
    await using database = await testDatabase();
    const url = new URL(database.url);
    url.pathname = "/not_there";
    await expect(migrate(url.href)).rejects.toMatchObject({
      code: "unreachable",
      message: expect.stringContaining("3D000"),
    });
  });

  test.each(["mysql://u:secret@h/db", "secret", "postgres://u:secret@h:port/db"])(
    "refuses the URL %j without repeating it",
    async (url) => {
      const error = (await migrate(url).catch((failure: unknown) => failure)) as Error;
      expect(error).toMatchObject({ code: "invalid_url" });
      expect(JSON.stringify(error, Object.getOwnPropertyNames(error))).not.toContain("secret");
    },
  );
});

describe("refuseMigration", () => {
  const journal = [
    { tag: "0000_a", when: 1000 },
    { tag: "0001_b", when: 2000 },
  ];

  test.each([[[]], [[1000]], [[1000, 2000]]])("takes %j", (applied) => {
    expect(refuseMigration(applied, journal)).toBeNull();
  });

  test("refuses what this build does not know, also when it is older than what it knows", () => {
    expect(refuseMigration([1000, 2000, 3000], journal)).toContain("1970-01-01T00:00:03.000Z");
    expect(refuseMigration([1000, 1500, 2000], journal)).toContain("1970-01-01T00:00:01.500Z");
    expect(refuseMigration([1000, 2000, 3000], journal)).toContain("0001_b");
  });

  test("refuses a hole, which drizzle would skip silently", () => {
    expect(refuseMigration([2000], journal)).toContain("lacks 0000_a");
  });
});

test.each([
  [140_022, "14.22", "PostgreSQL 14.22 is too old: Tailrace needs PostgreSQL 15 or later"],
  [90_624, "9.6.24", "PostgreSQL 9.6.24 is too old: Tailrace needs PostgreSQL 15 or later"],
  [150_000, "15.0", null],
  [180_004, "18.4", null],
])("a server of version %s", (num, name, refusal) => {
  expect(refuseServer(num, name)).toBe(refusal);
});
