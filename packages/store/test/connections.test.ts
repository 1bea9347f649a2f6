import { once } from "node:events";
import { createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { expect, test, vi } from "vitest";
import { sql } from "../src/drizzle.ts";
import { openDatabase } from "../src/database.ts";
import { DatabaseError, openStore, retryable } from "../src/index.ts";
import { createRun, makeTeam, newRun, openTestStore, query, quiet } from "./support.ts";

const terminate =
  "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and application_name = $1";

test("a new run and a stop are heard by every store on the database, and by none that has unsubscribed", async () => {
  await using fixture = await openTestStore();
  await using other = await openStore({ databaseUrl: fixture.url, log: quiet });
  const heard: string[] = [];
  const deaf: string[] = [];
  other.onStepAnnounced((stepId) => heard.push(stepId));
  other.onStepAnnounced((stepId) => deaf.push(stepId))();
  const team = await makeTeam(fixture.store);
  const run = newRun(team);
  await createRun(fixture.store, run);
  await vi.waitFor(() => expect(heard).toEqual([run.step.id]));
  await fixture.store.requestStop(team, run.id);
  await vi.waitFor(() => expect(heard).toEqual([run.step.id, run.step.id]));
  expect(deaf).toEqual([]);
});

test("the steps of a holder that gives its leases back are heard, and no others", async () => {
  await using fixture = await openTestStore();
  await using other = await openStore({ databaseUrl: fixture.url, log: quiet });
  const heard: string[] = [];
  other.onStepAnnounced((stepId) => heard.push(stepId));
  const team = await makeTeam(fixture.store);
  const runs = [newRun(team), newRun(team), newRun(team)];
  for (const run of runs) await createRun(fixture.store, run);
  await vi.waitFor(() => expect(heard).toHaveLength(3));
  const held = await fixture.store.claimSteps({ holder: "a", namespace: "k6", ttlMs: 60_000, limit: 2 });
  await fixture.store.claimSteps({ holder: "b", namespace: "k6", ttlMs: 60_000, limit: 1 });
  await fixture.store.releaseLeases("a");
  await fixture.store.releaseLeases("a");
  await fixture.store.requestStop(team, runs[0]!.id);
  await vi.waitFor(() => expect(heard).toHaveLength(6));
  expect(heard.slice(3, 5).toSorted()).toEqual(held.map((step) => step.id).toSorted());
  expect(heard[5]).toBe(runs[0]!.step.id);
});

test("a run that was refused is not announced", async () => {
  await using fixture = await openTestStore();
  const { store } = fixture;
  const heard: string[] = [];
  store.onStepAnnounced((stepId) => heard.push(stepId));
  const team = await makeTeam(store);
  const first = newRun(team);
  await expect(store.createRun({ ...first, scenarioId: "NOT VALID" })).rejects.toThrow();
  expect(await store.createRun(newRun(team, { maxActive: 0 }))).toMatchObject({ kind: "too_many_active" });
  await createRun(store, first);
  await vi.waitFor(() => expect(heard).toEqual([first.step.id]));
});

test("a listener that throws keeps nothing from the others", async () => {
  await using fixture = await openTestStore();
  const heard: string[] = [];
  fixture.store.onStepAnnounced(() => {
    throw new Error("broken listener");
  });
  fixture.store.onStepAnnounced((stepId) => heard.push(stepId));
  const run = newRun(await makeTeam(fixture.store));
  await createRun(fixture.store, run);
  await vi.waitFor(() => expect(heard).toEqual([run.step.id]));
});

test("the listening connection is made again when the server ends it", async () => {
  await using fixture = await openTestStore();
  const heard: string[] = [];
  fixture.store.onStepAnnounced((stepId) => heard.push(stepId));
  await query(fixture.url, terminate, ["tailrace listener"]);
  const team = await makeTeam(fixture.store);
  await vi.waitFor(
    async () => {
      await createRun(fixture.store, newRun(team, { maxActive: 1000 }));
      expect(heard).not.toEqual([]);
    },
    { timeout: 10_000 },
  );
});

test("idle connections that the server ends are replaced", async () => {
  await using fixture = await openTestStore();
  await Promise.all(Array.from({ length: 5 }, () => fixture.store.ping()));
  await query(fixture.url, terminate, ["tailrace"]);
  await vi.waitFor(() => fixture.store.ping());
});

test("a connection that is lost in the middle of a transaction fails it and nothing else", async () => {
  await using fixture = await openTestStore();
  const database = openDatabase({ databaseUrl: fixture.url, log: quiet, poolSize: 1 });
  const failed = database.transaction(async (tx) => {
    await tx.execute(sql`insert into teams (id, name) values ('lost', 'lost')`);
    await query(fixture.url, terminate, ["tailrace"]);
    await tx.execute(sql`select 1`);
  });
  await expect(failed).rejects.toSatisfy(retryable);
  await database.db.execute(sql`select 1`);
  expect(await fixture.store.getTeam("lost")).toBeNull();
  await database.close();
});

test("a statement that takes too long is ended, and may be repeated", async () => {
  await using fixture = await openTestStore();
  const database = openDatabase({ databaseUrl: fixture.url, log: quiet, statementTimeoutMs: 50 });
  await expect(database.db.execute(sql`select pg_sleep(60)`)).rejects.toSatisfy(retryable);
  await database.close();
});

test("a server that goes away makes verbs fail as UNAVAILABLE, and the store can be closed", async () => {
  await using fixture = await openTestStore();
  await using proxy = await startProxy(fixture.url);
  const store = await openStore({ databaseUrl: proxy.url, log: quiet });
  const team = await makeTeam(store);
  proxy.cut();
  for (let i = 0; i < 3; i++) {
    const error = await store.createRun(newRun(team)).catch((failure: unknown) => failure);
    expect(error).toMatchObject({ name: "TailraceError", code: "UNAVAILABLE" });
    expect(retryable(error)).toBe(true);
  }
  await store.close();
  await store.close();
});

test("openStore names host and port of a server that is not there, and never the password", async () => {
  const error = await openStore({ databaseUrl: "postgres://u:secret@127.0.0.1:1/db", log: quiet }).catch(
    (e: unknown) => e,
  );
  expect(error).toBeInstanceOf(DatabaseError);
  expect(error).toMatchObject({ code: "unreachable", message: expect.stringContaining("127.0.0.1:1") });
  expect(JSON.stringify(error, Object.getOwnPropertyNames(error))).not.toContain("secret");
});

/** Stands between a client and the server; `cut` ends every connection and takes no more. */
async function startProxy(target: string): Promise<{ url: string; cut(): void } & AsyncDisposable> {
  const { hostname, port } = new URL(target);
  const sockets = new Set<Socket>();
  const server: Server = createServer((near) => {
    const far = new (near.constructor as typeof Socket)().connect(Number(port), hostname);
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on("error", () => undefined);
    }
    near.pipe(far).pipe(near);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = new URL(target);
  url.port = String((server.address() as AddressInfo).port);
  const cut = (): void => {
    server.close();
    for (const socket of sockets) socket.destroy();
  };
  return {
    url: url.href,
    cut,
    async [Symbol.asyncDispose]() {
      if (!server.listening) return;
      cut();
      await once(server, "close");
    },
  };
}
