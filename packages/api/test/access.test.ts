import type { Role } from "@tailrace/core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { appRouter } from "../src/index.ts";
import { proceduresOf } from "../src/trpc/procedures.ts";
import { ADMIN, type Answer, type TestApi, type TestTeam, endRun, makeRun, makeTeam, startApi } from "./api.ts";
import { type Ids, type VerbCase, verbs } from "./verbs.ts";

const ROLES: Role[] = ["viewer", "runner", "admin"];
const UNKNOWN = "nobody";

let api: TestApi;
let team: TestTeam;
let other: TestTeam;
let otherIds: Ids;
beforeAll(async () => {
  api = await startApi({ limits: { maxActiveRuns: 100, allowedImages: [], namespace: "load" } });
  team = await makeTeam(api, "own-team");
  other = await makeTeam(api, "other-team");
  otherIds = await makeIds(other);
});
afterAll(async () => await api[Symbol.asyncDispose]());

/** A scenario, an ended run and a token that a verb may use up. */
async function makeIds({ id, tokens }: TestTeam): Promise<Ids> {
  const ask = { token: ADMIN };
  const scenario = await api.trpc(
    { procedure: "scenarios.create", type: "mutation" },
    { teamId: id, name: "s", script: "s" },
    ADMIN,
  );
  const scenarioId: string = scenario.json.result.data.id;
  const run = await makeRun(api, { id, scenarioId, tokens });
  await endRun(api.store, run);
  const token = await api.trpc(
    { procedure: "teams.createToken", type: "mutation" },
    { teamId: id, role: "viewer", name: "t" },
    ask.token,
  );
  return { teamId: id, scenarioId, runId: run.id, tokenId: token.json.result.data.id };
}

function both(verb: VerbCase, input: Record<string, unknown>, token?: string): Promise<Answer[]> {
  return Promise.all([api.rest(verb, input, token), api.trpc(verb, input, token)]);
}

/** What an error answer says, without what names the request and the team. */
function said({ json }: Answer, teamId: string): unknown {
  const { requestId: _, ...problem } =
    json.error === undefined ? json : { ...json.error.data, message: json.error.message };
  return JSON.parse(JSON.stringify(problem).replaceAll(teamId, "TEAM"));
}

it("has a case for every procedure", () => {
  expect(verbs.map(({ procedure }) => procedure).toSorted()).toEqual(
    proceduresOf(appRouter)
      .map(({ path }) => path)
      .toSorted(),
  );
});

describe.each(verbs)("$procedure", (verb) => {
  it("requires a token", async () => {
    for (const token of [undefined, "wrong"]) {
      const answers = await both(verb, verb.input(otherIds), token);
      expect(answers.map(({ status }) => status)).toEqual([401, 401]);
    }
  });

  it("lets the installation and each sufficient role, and refuses lesser ones", async () => {
    const needed = verb.needs === "installation" ? ROLES.length : ROLES.indexOf(verb.needs);
    for (const [rank, role] of ROLES.entries()) {
      const { rest, trpc } = await fresh(verb, team.tokens[role]);
      const allowed = rank >= needed;
      expect([role, rest.status, trpc.status]).toEqual([role, allowed ? verb.status : 403, allowed ? 200 : 403]);
      if (!allowed) expect(rest.json).toMatchObject({ code: "FORBIDDEN", detail: expect.stringContaining("needs") });
    }
    const { rest, trpc } = await fresh(verb, ADMIN);
    expect([rest.status, trpc.status]).toEqual([verb.status, 200]);
  });

  it("refuses unknown fields and names them", async () => {
    for (const answer of await both(verb, { ...verb.input(otherIds), surprise: "x" }, ADMIN)) {
      expect(answer.status).toBe(400);
      const issues = answer.json.issues ?? answer.json.error.data.issues;
      expect(issues).toEqual([{ path: "surprise", message: 'unknown field "surprise"' }]);
    }
  });
});

describe.each(verbs.filter(({ rest }) => rest.includes("{teamId}")))("$procedure, of a team,", (verb) => {
  it("answers another team's tokens as if the team did not exist", async () => {
    const unknownIds = { ...otherIds, teamId: UNKNOWN };
    for (const role of ROLES) {
      const theirs = await both(verb, verb.input(otherIds), team.tokens[role]);
      const nobodys = await both(verb, verb.input(unknownIds), team.tokens[role]);
      expect(theirs.map(({ status }) => status)).toEqual([404, 404]);
      expect(theirs.map((answer) => said(answer, other.id))).toEqual(nobodys.map((answer) => said(answer, UNKNOWN)));
    }
  });

  it("refuses ids that are none", async () => {
    for (const teamId of ["-a", "A", "a".repeat(64), "a b", "a\0"]) {
      const answer = await api.trpc(verb, { ...verb.input(otherIds), teamId }, ADMIN);
      expect([teamId, answer.status]).toEqual([teamId, 400]);
      expect(answer.json.error.data.issues[0].path).toBe("teamId");
    }
  });
});

/** Calls a verb over both transports, each with things of its own to delete. */
async function fresh(verb: VerbCase, token: string): Promise<{ rest: Answer; trpc: Answer }> {
  const rest = await api.rest(verb, verb.input(await makeIds(team)), token);
  const trpc = await api.trpc(verb, verb.input(await makeIds(team)), token);
  return { rest, trpc };
}
