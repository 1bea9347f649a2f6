import { testDatabase } from "@tailrace/store/testing";
import { Client } from "pg";

/** A database of its own for one suite, with a look inside. */
export interface Database extends AsyncDisposable {
  url: string;
  query<Row>(sql: string, values?: unknown[]): Promise<Row[]>;
}

export async function openDatabase(): Promise<Database> {
  const database = await testDatabase();
  const client = new Client({ connectionString: database.url });
  await client.connect();
  return {
    url: database.url,
    query: async <Row>(sql: string, values: unknown[] = []) => (await client.query(sql, values)).rows as Row[],
    async [Symbol.asyncDispose]() {
      await client.end();
      await database[Symbol.asyncDispose]();
    },
  };
}
