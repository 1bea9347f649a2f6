import { randomBytes } from "node:crypto";
import type { Role } from "@tailrace/core";
import { type PostgresStore, openStore } from "@tailrace/store";
import Fastify, { type FastifyInstance } from "fastify";
import { type ApiDeps, type ApiStore, createApi } from "../src/index.ts";
import { testDatabase } from "@tailrace/store/testing";
import { SCRIPT, type VerbCase } from "./verbs.ts";

export const ADMIN = "the-admin-token-of-the-tests";
export const TEAMS = "/api/dashboard/load-testing/teams";
export const ALLOWED_IMAGE = "grafana/k6:2.2.0";

/** As `JSON.parse` gives it: each test reads what it has asked for. */
export type Json = ReturnType<typeof JSON.parse>;

export interface Answer {
  status: number;
  headers: Headers;
  text: string;
  /** The body as JSON; undefined where it is none. */
  json: Json;
}

interface Ask {
  token?: string | undefined;
  body?: unknown;
  headers?: Record<string, string>;
}

export interface TestApi extends AsyncDisposable {
  origin: string;
  app: FastifyInstance;
  store: PostgresStore;
  /** What was logged as a warning or an error. */
  logged: { level: string; fields: Record<string, unknown> }[];
  ask(method: string, path: string, ask?: Ask): Promise<Answer>;
  rest(verb: Pick<VerbCase, "rest">, input: Record<string, unknown>, token?: string): Promise<Answer>;
  trpc(verb: Pick<VerbCase, "procedure" | "type">, input: unknown, token?: string): Promise<Answer>;
}

/** The API over HTTP on a free port, on a database of its own. */
export async function startApi(
  overrides: Partial<ApiDeps> & {
    prepare?: (app: FastifyInstance) => void;
    /** How to reach the database. (Default: by its own URL) */
    reach?: (databaseUrl: string) => Promise<string>;
    /** What the API uses in the place of the store. (Default: the store itself) */
    watch?: (store: PostgresStore) => ApiStore;
  } = {},
): Promise<TestApi> {
  const { prepare, reach, watch = (own) => own, ...deps } = overrides;
  const database = await testDatabase();
  const logged: TestApi["logged"] = [];
  const log = {
    info: () => undefined,
    warn: (fields: object) => void logged.push({ level: "warn", fields: { ...fields } }),
    error: (fields: object) => void logged.push({ level: "error", fields: { ...fields } }),
  };
  const store = await openStore({ databaseUrl: (await reach?.(database.url)) ?? database.url, log });
  const app = Fastify();
  prepare?.(app);
  await app.register(
    createApi({
      store: watch(store),
      auth: { mode: "token", adminToken: ADMIN },
      limits: { maxActiveRuns: 3, allowedImages: [ALLOWED_IMAGE], namespace: "load" },
      log,
      random: randomBytes,
      ...deps,
    }),
  );
  const origin = await app.listen({ host: "127.0.0.1", port: 0 });
  const ask: TestApi["ask"] = async (method, path, { token, body, headers = {} } = {}) => {
    const response = await fetch(origin + path, {
      method,
      headers: {
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    const isJson = text !== "" && /json/.test(response.headers.get("content-type") ?? "");
    return { status: response.status, headers: response.headers, text, json: isJson ? JSON.parse(text) : undefined };
  };
  return {
    origin,
    app,
    store,
    logged,
    ask,
    rest: (verb, input, token) => ask(...restRequest(verb, input, token)),
    trpc: ({ procedure, type }, input, token) =>
      type === "query"
        ? ask("GET", `/api/trpc/${procedure}?input=${encodeURIComponent(JSON.stringify(input))}`, { token })
        : ask("POST", `/api/trpc/${procedure}`, { token, body: input }),
    [Symbol.asyncDispose]: async () => {
      await app.close();
      await store.close();
      await database[Symbol.asyncDispose]();
    },
  };
}

function restRequest(
  verb: Pick<VerbCase, "rest">,
  input: Record<string, unknown>,
  token: string | undefined,
): [string, string, Ask] {
  const [method = "", template = ""] = verb.rest.split(" ");
  const rest = { ...input };
  const path = template.replace(/\{(\w+)\}/g, (_, name: string) => {
    const value = String(rest[name]);
    delete rest[name];
    return encodeURIComponent(value);
  });
  if (method === "GET" || method === "DELETE") {
    const query = new URLSearchParams(
      Object.entries(rest).flatMap(([name, value]) =>
        [value].flat().map((each): [string, string] => [name, String(each)]),
      ),
    ).toString();
    return [method, TEAMS + path + (query === "" ? "" : `?${query}`), { token }];
  }
  return [method, TEAMS + path, { token, body: Object.keys(rest).length === 0 ? undefined : rest }];
}

/** A team with a scenario and a token of each role. */
export interface TestTeam {
  id: string;
  scenarioId: string;
  tokens: Record<Role, string>;
}

export async function makeTeam(api: TestApi, id: string): Promise<TestTeam> {
  await created(api.ask("POST", TEAMS, { token: ADMIN, body: { id, name: id } }));
  const token = async (role: Role): Promise<string> =>
    (await created(api.ask("POST", `${TEAMS}/${id}/tokens`, { token: ADMIN, body: { role, name: role } }))).token;
  const scenario = { id: "checkout", name: "Checkout", script: SCRIPT };
  await created(api.ask("POST", `${TEAMS}/${id}/scenarios`, { token: ADMIN, body: scenario }));
  return {
    id,
    scenarioId: "checkout",
    tokens: { viewer: await token("viewer"), runner: await token("runner"), admin: await token("admin") },
  };
}

export async function makeRun(api: TestApi, team: TestTeam, fields: object = {}): Promise<Json> {
  const body = { scenarioId: team.scenarioId, ...fields };
  return await created(api.ask("POST", `${TEAMS}/${team.id}/test-runs`, { token: ADMIN, body }));
}

async function created(answer: Promise<Answer>): Promise<Json> {
  const { status, json, text } = await answer;
  if (status !== 201) throw new Error(`expected 201, got ${status}: ${text}`);
  return json;
}

/** Ends a run as its supervisor does, with logs if they are given. */
export async function endRun(store: PostgresStore, run: { id: string }, containerLogs?: string): Promise<void> {
  const steps = await store.claimSteps({ holder: "tests", namespace: "load", ttlMs: 60_000, limit: 100 });
  const step = steps.find(({ runId }) => runId === run.id);
  if (step === undefined) throw new Error(`no step of run ${run.id} could be claimed`);
  await store.writeStep(step.id, step.fence, {
    status: "finished",
    stage: "finished",
    finishedAt: new Date(),
    ...(containerLogs === undefined ? {} : { containerLogs }),
  });
  await store.releaseLeases("tests");
}
