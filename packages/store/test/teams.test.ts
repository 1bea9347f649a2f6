import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { id, makeTeam, sharedStore } from "./support.ts";

const fixture = sharedStore();

const hash = (secret: string): Uint8Array => createHash("sha256").update(secret).digest();

describe("createTeam", () => {
  test("gives the team as it is stored", async () => {
    const { store } = fixture;
    const team = await store.createTeam({ id: "checkout", name: "Check-out ✓" });
    expect(team).toEqual({
      id: "checkout",
      name: "Check-out ✓",
      createdAt: expect.stringMatching(/^\d{4}-.*\.\d{3}Z$/),
      logRetentionDays: null,
    });
    expect(await store.getTeam("checkout")).toEqual(team);
  });

  test("refuses an id that is taken", async () => {
    const { store } = fixture;
    const team = await makeTeam(store);
    await expect(store.createTeam({ id: team, name: "other" })).rejects.toMatchObject({ code: "CONFLICT" });
    expect((await store.getTeam(team))?.name).toBe("Checkout");
  });

  test.each(["", "-a", "A", "a".repeat(64), "a b", "a\n"])("the database refuses the id %j", async (bad) => {
    await expect(fixture.store.createTeam({ id: bad, name: "x" })).rejects.toMatchObject({ code: "23514" });
  });

  test("refuses NUL as the caller's fault", async () => {
    await expect(fixture.store.createTeam({ id: id(), name: "a\0b" })).rejects.toMatchObject({
      name: "TailraceError",
      code: "BAD_REQUEST",
    });
  });
});

describe("getTeam", () => {
  test("is null for one that is not there, and for text that can't be an id", async () => {
    expect(await fixture.store.getTeam("nobody")).toBeNull();
    await expect(fixture.store.getTeam("a\0")).rejects.toMatchObject({ code: "BAD_REQUEST" });
  });
});

describe("updateTeam", () => {
  test("changes what is given and nothing else", async () => {
    const { store } = fixture;
    const id = await makeTeam(store);
    const made = await store.getTeam(id);
    expect(await store.updateTeam(id, {})).toEqual(made);
    expect(await store.updateTeam(id, { logRetentionDays: 7 })).toEqual({ ...made, logRetentionDays: 7 });
    expect(await store.updateTeam(id, { name: "Pay" })).toEqual({ ...made, name: "Pay", logRetentionDays: 7 });
    expect(await store.updateTeam(id, { logRetentionDays: null })).toEqual({ ...made, name: "Pay" });
    expect(await store.getTeam(id)).toEqual({ ...made, name: "Pay" });
  });

  test("is null for a team that is not there", async () => {
    expect(await fixture.store.updateTeam("nobody", { name: "x" })).toBeNull();
    expect(await fixture.store.updateTeam("nobody", {})).toBeNull();
  });

  test.each([0, -1, 3651])("the database refuses %i days", async (logRetentionDays) => {
    const { store } = fixture;
    const id = await makeTeam(store);
    await expect(store.updateTeam(id, { logRetentionDays })).rejects.toMatchObject({ code: "23514" });
  });
});

describe("listTeams", () => {
  test("goes through all, newest first, page by page", async () => {
    const made: string[] = [];
    for (let i = 0; i < 5; i++) made.unshift(await makeTeam(fixture.store));
    const seen: string[] = [];
    let cursor: string | null = null;
    let pages = 0;
    do {
      const page = await fixture.store.listTeams({ limit: 2, ...(cursor !== null && { cursor }) });
      seen.push(...page.items.map((team) => team.id));
      cursor = page.nextCursor;
      pages++;
    } while (cursor !== null);
    expect(seen).toEqual(made);
    expect(pages).toBe(3);
  });

  test.each([0, 201, 1.5, Number.NaN])("refuses the limit %s", async (limit) => {
    await expect(fixture.store.listTeams({ limit })).rejects.toMatchObject({
      code: "BAD_REQUEST",
      issues: [{ path: "limit" }],
    });
  });
});

describe("tokens", () => {
  test("a token is found by the hash of its secret alone", async () => {
    const { store } = fixture;
    const team = await makeTeam(store);
    const secret = id();
    const token = await store.createToken({ id: "ci", teamId: team, role: "runner", name: "CI", hash: hash(secret) });
    expect(token).toEqual({ id: "ci", teamId: team, role: "runner", name: "CI", createdAt: expect.any(String) });
    expect(await store.findToken(hash(secret))).toEqual(token);
    expect(await store.findToken(hash(`${secret}x`))).toBeNull();
    expect(await store.findToken(new Uint8Array())).toBeNull();
  });

  test("a team that is not there has none", async () => {
    const { store } = fixture;
    const token = { id: "ci", teamId: "nobody", role: "admin", name: "CI", hash: hash(id()) } as const;
    await expect(store.createToken(token)).rejects.toMatchObject({ name: "TailraceError", code: "NOT_FOUND" });
    expect(await store.listTokens("nobody")).toEqual([]);
  });

  test("an id is taken within its team alone, a secret everywhere", async () => {
    const { store } = fixture;
    const [a, b] = [await makeTeam(store), await makeTeam(store)];
    const used = hash(id());
    await store.createToken({ id: "ci", teamId: a, role: "viewer", name: "A", hash: used });
    const again = { id: "ci", teamId: a, role: "viewer", name: "A", hash: hash(id()) } as const;
    await expect(store.createToken(again)).rejects.toMatchObject({ code: "CONFLICT" });
    await expect(store.createToken({ ...again, teamId: b, hash: used })).rejects.toMatchObject({ code: "CONFLICT" });
    await store.createToken({ ...again, teamId: b });
    expect(await store.listTokens(a)).toHaveLength(1);
    expect(await store.listTokens(b)).toHaveLength(1);
  });

  test("are listed newest first, and never with another team's", async () => {
    const { store } = fixture;
    const [a, b] = [await makeTeam(store), await makeTeam(store)];
    for (const name of ["one", "two", "three"])
      await store.createToken({ id: name, teamId: a, role: "viewer", name, hash: hash(id()) });
    expect((await store.listTokens(a)).map((token) => token.id)).toEqual(["three", "two", "one"]);
    expect(await store.listTokens(b)).toEqual([]);
  });

  test("a deleted token is not found any more, and another team can't delete it", async () => {
    const { store } = fixture;
    const [a, b] = [await makeTeam(store), await makeTeam(store)];
    const secret = hash(id());
    await store.createToken({ id: "ci", teamId: a, role: "viewer", name: "A", hash: secret });
    expect(await store.deleteToken(b, "ci")).toBe(false);
    expect(await store.findToken(secret)).not.toBeNull();
    expect(await store.deleteToken(a, "ci")).toBe(true);
    expect(await store.deleteToken(a, "ci")).toBe(false);
    expect(await store.findToken(secret)).toBeNull();
  });
});
