import { readFile } from "node:fs/promises";
import { generateDrizzleJson, generateMigration } from "drizzle-kit/api";
import { getTableConfig, type PgTable } from "../src/drizzle.ts";
import { expect, test } from "vitest";
import * as schema from "../src/schema/index.ts";
import { testDatabase } from "../src/testing.ts";
import { query } from "./support.ts";

const read = async (path: string): Promise<unknown> =>
  JSON.parse(await readFile(new URL(`../../../drizzle/${path}`, import.meta.url), "utf8"));

async function readJournal(): Promise<{ idx: number; when: number; tag: string }[]> {
  return ((await read("meta/_journal.json")) as { entries: { idx: number; when: number; tag: string }[] }).entries;
}

test("each migration is later than the one before: drizzle never applies one that is not", async () => {
  const entries = await readJournal();
  expect(entries.map((entry) => entry.idx)).toEqual(entries.map((_, index) => index));
  for (const [index, entry] of entries.entries()) {
    expect(entry.when).toBeGreaterThan(entries[index - 1]?.when ?? 0);
    expect(entry.tag).toMatch(new RegExp(`^${String(index).padStart(4, "0")}_`));
  }
});

test("the newest snapshot is that of the schema", async () => {
  const newest = (await readJournal()).at(-1)!;
  const snapshot = (await read(`meta/${newest.tag.slice(0, 4)}_snapshot.json`)) as Parameters<
    typeof generateMigration
  >[0];
  expect(await generateMigration(snapshot, generateDrizzleJson(schema, snapshot.id))).toEqual([]);
});

test.each(Object.values(schema as Record<string, PgTable>).map(getTableConfig))(
  "the migrations make $name as the schema says",
  async ({ name, columns, indexes, checks, foreignKeys, primaryKeys, uniqueConstraints }) => {
    await using database = await testDatabase();
    const made = await query(
      database.url,
      `select attname as name, format_type(atttypid, atttypmod) as type, attnotnull as required
       from pg_attribute where attrelid = $1::regclass and attnum > 0 and not attisdropped order by attname`,
      [name],
    );
    const wanted = columns
      .map((column) => ({
        name: column.name,
        type: column.getSQLType().replace("timestamp (", "timestamp("),
        required: column.notNull,
      }))
      .toSorted((a, b) => (a.name < b.name ? -1 : 1));
    expect(made).toEqual(wanted);

    const constraints = await query(
      database.url,
      "select conname as name from pg_constraint where conrelid = $1::regclass and contype <> 'n'",
      [name],
    );
    const singleKey = columns.some((column) => column.primary) ? [`${name}_pkey`] : [];
    const named = [...checks, ...uniqueConstraints].map((constraint) => constraint.name);
    const keys = [...foreignKeys, ...primaryKeys].map((key) => key.getName());
    const names = constraints.map((row) => String(row["name"]));
    expect(new Set(names)).toEqual(new Set([...named, ...keys, ...singleKey]));

    const found = await query(database.url, "select indexname as name from pg_indexes where tablename = $1", [name]);
    const others = found.map((row) => String(row["name"])).filter((index) => !names.includes(index));
    expect(new Set(others)).toEqual(new Set(indexes.map((index) => index.config.name)));
  },
);

test("container_logs is documented in the database", async () => {
  await using database = await testDatabase();
  const [row] = await query(
    database.url,
    `select col_description('test_run_steps'::regclass, attnum) as comment
     from pg_attribute where attrelid = 'test_run_steps'::regclass and attname = 'container_logs'`,
  );
  expect(row).toEqual({ comment: "container output logs with headers for multiple containers" });
});

test("the lists' order, the claims and the active count have an index that serves them", async () => {
  await using database = await testDatabase();
  const plans = {
    test_runs_newest: "select * from test_runs where team_id = 'a' and seq < 5 order by seq desc limit 3",
    test_runs_newest_of_scenario:
      "select * from test_runs where team_id = 'a' and scenario_id = 's' order by seq desc limit 3",
    test_runs_newest_by_status:
      "select * from test_runs where team_id = 'a' and status = 'error' order by seq desc limit 3",
    test_runs_active:
      "select count(*) from test_runs where team_id = 'a' and status in ('pending', 'running', 'stopping')",
    test_run_steps_claimable: `select id from test_run_steps where status in ('pending', 'running', 'stopping')
      and (lease_expires_at is null or lease_expires_at <= clock_timestamp()) order by lease_expires_at nulls first limit 3`,
    cluster_cleanups_due: "select step_id from cluster_cleanups order by due_at limit 3",
    log_streams_ordinal: "select * from log_streams where run_id = 'a' order by ordinal",
    log_streams_instance: "select * from log_streams where step_id = 'a'",
    log_streams_kept: "select id from log_streams where day < '2026-11-24' and expired_at is null",
    log_handovers_content: "select id from log_handovers where stream_id = 1",
  };
  const name = new URL(database.url).pathname.slice(1);
  for (const off of ["enable_seqscan", "enable_sort"])
    await query(database.url, `alter database ${name} set ${off} = off`);
  for (const [index, statement] of Object.entries(plans)) {
    expect(JSON.stringify(await query(database.url, `explain (format json) ${statement}`))).toContain(`"${index}"`);
  }
});

test("chunks and gaps are partitioned by day; what is compressed already is not compressed again", async () => {
  await using database = await testDatabase();
  const partitioned = await query(
    database.url,
    "select partrelid::regclass::text as name, pg_get_partkeydef(partrelid) as key from pg_partitioned_table order by name",
  );
  expect(partitioned).toEqual([
    { name: "log_chunks", key: "RANGE (day)" },
    { name: "log_gaps", key: "RANGE (day)" },
  ]);
  const external = await query(
    database.url,
    `select attrelid::regclass::text || '.' || attname as name from pg_attribute
     where attrelid = any(array['log_chunks', 'log_handovers', 'log_streams']::regclass[]) and attstorage = 'e' order by name`,
  );
  expect(external.map((row) => row["name"])).toEqual(["log_chunks.data", "log_handovers.data", "log_streams.position"]);
});

test("a stream's row has room in its page, and no index on what a commit changes", async () => {
  await using database = await testDatabase();
  const [row] = await query(database.url, "select reloptions from pg_class where oid = 'log_streams'::regclass");
  expect(row).toEqual({ reloptions: ["fillfactor=70"] });
  const indexed = await query(
    database.url,
    `select distinct attname as name from pg_index join pg_attribute on attrelid = indrelid and attnum = any(indkey)
     where indrelid = 'log_streams'::regclass`,
  );
  const changing = ["fence", "next_seq", "output_bytes", "max_time", "position", "counts", "gaps", "unjoined"];
  expect(indexed.filter((column) => changing.includes(String(column["name"])))).toEqual([]);
});
