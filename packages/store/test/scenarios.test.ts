import { describe, expect, test } from "vitest";
import type { ScenarioConfig } from "@tailrace/core";
import { createRun, makeTeam, newRun, sharedStore } from "./support.ts";

const fixture = sharedStore();

const config: ScenarioConfig = { script: "export default () => {}", env: { A: "1" }, arguments: ["--vus=2"] };
const scenario = (teamId: string) => ({ id: "checkout", teamId, name: "Checkout", config });

describe("createScenario", () => {
  test("gives the scenario as it is stored", async () => {
    const { store } = fixture;
    const team = await makeTeam(store);
    const made = await store.createScenario(scenario(team));
    expect(made).toEqual({ ...scenario(team), createdAt: expect.any(String), updatedAt: made.createdAt });
    expect(await store.getScenario(team, "checkout")).toEqual(made);
  });

  test("refuses an id that is taken in the team, not one of another team", async () => {
    const { store } = fixture;
    const [a, b] = [await makeTeam(store), await makeTeam(store)];
    await store.createScenario(scenario(a));
    await expect(store.createScenario(scenario(a))).rejects.toMatchObject({ code: "CONFLICT" });
    await store.createScenario({ ...scenario(b), name: "B's" });
    expect((await store.getScenario(a, "checkout"))?.name).toBe("Checkout");
  });

  test("needs its team", async () => {
    await expect(fixture.store.createScenario(scenario("nobody"))).rejects.toMatchObject({ code: "NOT_FOUND" });
  });

  test.each(["a\0b", "\ud800"])("refuses %j in the script as the caller's fault", async (script) => {
    const { store } = fixture;
    const team = await makeTeam(store);
    const bad = store.createScenario({ ...scenario(team), config: { script } });
    await expect(bad).rejects.toMatchObject({ name: "TailraceError", code: "BAD_REQUEST" });
    expect(await store.getScenario(team, "checkout")).toBeNull();
  });

  test("keeps a script of a mebibyte with any other character as it is", async () => {
    const { store } = fixture;
    const team = await makeTeam(store);
    const script = `// "'\\\u0001\u2028𝒳ü\r\n\t`.padEnd(1_048_576, "x");
    await store.createScenario({ ...scenario(team), config: { script } });
    expect((await store.getScenario(team, "checkout"))?.config).toEqual({ script });
  });
});

describe("getScenario", () => {
  test("does not give another team's", async () => {
    const { store } = fixture;
    const [a, b] = [await makeTeam(store), await makeTeam(store)];
    await store.createScenario(scenario(a));
    expect(await store.getScenario(b, "checkout")).toBeNull();
  });
});

describe("listScenarios", () => {
  test("is newest first, without the config, and of one team", async () => {
    const { store } = fixture;
    const [a, b] = [await makeTeam(store), await makeTeam(store)];
    for (const name of ["one", "two", "three"]) await store.createScenario({ ...scenario(a), id: name });
    await store.createScenario({ ...scenario(b), id: "other" });
    const first = await store.listScenarios(a, { limit: 2 });
    expect(first.items.map((item) => item.id)).toEqual(["three", "two"]);
    expect(first.items[0]).not.toHaveProperty("config");
    const second = await store.listScenarios(a, { limit: 2, cursor: first.nextCursor! });
    expect(second.items.map((item) => item.id)).toEqual(["one"]);
    expect(second.nextCursor).toBeNull();
  });

  test("a cursor of one list is none for another", async () => {
    const { store } = fixture;
    const team = await makeTeam(store);
    for (const name of ["one", "two"]) await store.createScenario({ ...scenario(team), id: name });
    const { nextCursor } = await store.listScenarios(team, { limit: 1 });
    await expect(store.listRuns(team, { limit: 1, cursor: nextCursor! })).rejects.toMatchObject({
      code: "BAD_REQUEST",
      issues: [{ path: "cursor" }],
    });
  });
});

describe("replaceScenario", () => {
  test("replaces what the caller has seen, and tells versions apart within a millisecond", async () => {
    const { store } = fixture;
    const team = await makeTeam(store);
    let current = await store.createScenario(scenario(team));
    const versions = new Set([current.updatedAt]);
    for (let i = 0; i < 5; i++) {
      const next = await store.replaceScenario({ ...scenario(team), name: `v${i}` }, current.updatedAt);
      expect(next).toMatchObject({ name: `v${i}`, createdAt: current.createdAt });
      current = next!;
      versions.add(current.updatedAt);
    }
    expect(versions.size).toBe(6);
    expect([...versions].toSorted()).toEqual([...versions]);
  });

  test("of eight at the same time one wins", async () => {
    const { store } = fixture;
    const team = await makeTeam(store);
    const { updatedAt } = await store.createScenario(scenario(team));
    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, i) => store.replaceScenario({ ...scenario(team), name: `v${i}` }, updatedAt)),
    );
    const won = answers.filter((answer) => answer !== null);
    expect(won).toHaveLength(1);
    expect(await store.getScenario(team, "checkout")).toEqual(won[0]);
  });

  test("is null for an older version, another team, no scenario and no time", async () => {
    const { store } = fixture;
    const [a, b] = [await makeTeam(store), await makeTeam(store)];
    const made = await store.createScenario(scenario(a));
    expect(await store.replaceScenario(scenario(a), "2001-01-01T00:00:00.000Z")).toBeNull();
    expect(await store.replaceScenario(scenario(b), made.updatedAt)).toBeNull();
    expect(await store.replaceScenario({ ...scenario(a), id: "other" }, made.updatedAt)).toBeNull();
    expect(await store.replaceScenario(scenario(a), "yesterday")).toBeNull();
    expect(await store.getScenario(a, "checkout")).toEqual(made);
  });
});

describe("deleteScenario", () => {
  test("leaves its runs, and is of one team", async () => {
    const { store } = fixture;
    const [a, b] = [await makeTeam(store), await makeTeam(store)];
    await store.createScenario(scenario(a));
    const run = await createRun(store, newRun(a, { scenarioId: "checkout" }));
    expect(await store.deleteScenario(b, "checkout")).toBe(false);
    expect(await store.deleteScenario(a, "checkout")).toBe(true);
    expect(await store.deleteScenario(a, "checkout")).toBe(false);
    expect(await store.getRun(a, run.id)).toEqual(run);
  });
});
