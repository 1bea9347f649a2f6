import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ADMIN, type Answer, TEAMS, type TestApi, type TestTeam, makeTeam, startApi } from "./api.ts";

let api: TestApi;
let team: TestTeam;
beforeAll(async () => {
  api = await startApi();
  team = await makeTeam(api, "checkout");
});
afterAll(async () => await api[Symbol.asyncDispose]());

function update(body: object): Promise<Answer> {
  return api.ask("PATCH", `${TEAMS}/checkout`, { token: team.tokens.admin, body });
}

describe("update", () => {
  it("changes what is given, and nothing else", async () => {
    const { json: before } = await api.ask("GET", `${TEAMS}/checkout`, { token: ADMIN });
    expect(before).toMatchObject({ name: "checkout", logRetentionDays: null });
    expect((await update({ logRetentionDays: 30 })).json).toEqual({ ...before, logRetentionDays: 30 });
    expect((await update({ name: "Checkout" })).json).toEqual({ ...before, name: "Checkout", logRetentionDays: 30 });
    expect((await update({})).json).toEqual({ ...before, name: "Checkout", logRetentionDays: 30 });
    expect((await update({ logRetentionDays: null })).json).toEqual({ ...before, name: "Checkout" });
    const { json: after } = await api.ask("GET", `${TEAMS}/checkout`, { token: ADMIN });
    expect(after).toEqual({ ...before, name: "Checkout" });
  });

  it.each([0, 3651, 1.5, "30", true])("refuses %j days", async (logRetentionDays) => {
    const { status, json } = await update({ logRetentionDays });
    expect(status).toBe(400);
    expect(json.issues).toEqual([
      { path: "logRetentionDays", message: "logRetentionDays must be an integer from 1 to 3650" },
    ]);
  });

  it("refuses a name that is none", async () => {
    const { json } = await update({ name: "" });
    expect(json.issues).toEqual([{ path: "name", message: "name must have 1 to 100 characters, got 0" }]);
  });
});
