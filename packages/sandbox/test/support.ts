import { startSandbox, type Output, type Program, type Sandbox, type SandboxOptions } from "@tailrace/sandbox";
import { accessSync, constants } from "node:fs";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import http from "node:http";
import https from "node:https";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

/** JSON as it was parsed: a test looks into it freely. */
export type Json = ReturnType<typeof JSON.parse>;

export interface TestSandbox extends AsyncDisposable {
  sandbox: Sandbox;
  dataDir: string;
  /** Lines that the sandbox said about its own failures. */
  problems: string[];
  send(
    method: string,
    path: string,
    body?: unknown,
    headers?: Record<string, string>,
  ): Promise<{ status: number; body: Json; text: string }>;
}

export const IMAGE = "grafana/k6:2.2.0";
export const CORE = "/api/v1/namespaces/default";
export const TESTRUNS = "/apis/k6.io/v1alpha1/namespaces/default/testruns";
export const JOBS = "/apis/batch/v1/namespaces/default/jobs";

/** The PATH of the tests, for sandboxes that run real programs. */
export const PATH = process.env.PATH ?? "";
const K6 =
  process.env.K6_BIN ||
  PATH.split(delimiter)
    .map((folder) => join(folder, "k6"))
    .find(isExecutable);
export const k6Bin: string | undefined = K6;
/** Why tests with k6 itself do not run here, or nothing. */
export const WITHOUT_K6 = K6 === undefined ? " (not run: there is no k6 on the PATH)" : "";

export async function openSandbox(options: Partial<SandboxOptions> = {}): Promise<TestSandbox> {
  const dataDir = await mkdtemp(join(tmpdir(), "tailrace-sandbox-"));
  const problems: string[] = [];
  const starting = startSandbox({
    dataDir,
    path: PATH,
    mode: "replay",
    speed: 20,
    followEndMs: 30,
    onLog: (line) => problems.push(line),
    ...options,
  });
  const sandbox = await starting.catch(async (error: unknown) => {
    await rm(dataDir, { recursive: true });
    throw error;
  });
  return {
    sandbox,
    dataDir,
    problems,
    send: (method, path, body, headers) => send(sandbox, method, path, body, headers),
    async [Symbol.asyncDispose]() {
      await sandbox.close();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

async function send(
  sandbox: Sandbox,
  method: string,
  path: string,
  body: unknown,
  headers: Record<string, string> = {},
): Promise<{ status: number; body: Json; text: string }> {
  const response = await fetch(sandbox.url + path, {
    method,
    headers: {
      authorization: `Bearer ${sandbox.token}`,
      "content-type": method === "PATCH" ? "application/merge-patch+json" : "application/json",
      ...headers,
    },
    ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  return {
    status: response.status,
    text,
    body: response.headers.get("content-type")?.startsWith("application/json") ? JSON.parse(text) : {},
  };
}

/** The folder that the kubelet's port serves. */
export async function logRoot({ dataDir }: TestSandbox): Promise<string> {
  const [folder] = (await readdir(dataDir)).filter((name) => name.startsWith("sandbox-"));
  return join(dataDir, folder!, "log");
}

/** An answer as it came over the connection; `body` has one character per byte. */
export interface RawAnswer {
  status: number;
  /** In their order and spelling. */
  headers: [name: string, value: string][];
  body: string;
  end: "clean" | "cut";
}

export interface RawRequest {
  port?: "api" | "kubelet";
  method?: string;
  /** Sent as it is. */
  path: string;
  headers?: Record<string, string>;
  /** Null for none. (Default: the sandbox's) */
  token?: string | null;
  agent?: http.Agent | false;
  /** Told of what has come so far; a long body is stopped by the signal. */
  onData?: (length: number) => void;
  signal?: AbortSignal;
}

/** One request whose answer may be cut; rejects where there is none. */
export function raw(sandbox: Sandbox, request: RawRequest): Promise<RawAnswer> {
  const { port = "kubelet", method = "GET", path, token = sandbox.token, agent = false, signal } = request;
  const headers = { ...request.headers, ...(token === null ? {} : { authorization: `Bearer ${token}` }) };
  const common = { host: "127.0.0.1", method, path, headers, agent, ...(signal ? { signal } : {}) };
  return new Promise((resolve, reject) => {
    const sent =
      port === "kubelet"
        ? https.request({ ...common, port: sandbox.kubelet.port, ca: sandbox.kubelet.ca })
        : http.request({ ...common, port: new URL(sandbox.url).port });
    let answered = false;
    sent.on("error", (error) => {
      if (!answered) reject(error);
    });
    sent.on("response", (response) => {
      answered = true;
      const chunks: Buffer[] = [];
      let length = 0;
      response.on("data", (chunk: Buffer) => {
        chunks.push(chunk);
        request.onData?.((length += chunk.length));
      });
      // That it was cut is seen from its being incomplete.
      response.on("error", () => {});
      response.on("close", () => {
        const pairs = response.rawHeaders;
        resolve({
          status: response.statusCode ?? 0,
          headers: pairs.flatMap((name, at) => (at % 2 === 0 ? [[name, pairs[at + 1]!]] : [])) as RawAnswer["headers"],
          body: Buffer.concat(chunks).toString("latin1"),
          end: response.complete ? "clean" : "cut",
        });
      });
    });
    sent.end();
  });
}

/** A container whose output the test writes, by the container's name. */
export interface HandWritten {
  output: Output;
  /** Ends it. */
  exit: (code: number) => void;
}

/** Programs for all containers of pods named `by-hand…`, with what they write by the container's name. */
export function handWritten(): { program: Program; containers: Map<string, HandWritten> } {
  const containers = new Map<string, HandWritten>();
  const program: Program = {
    matches: (pod) => pod.metadata.name.startsWith("by-hand"),
    run: async (output, { container, terminated }) => {
      const { promise, resolve } = Promise.withResolvers<number>();
      terminated.addEventListener("abort", () => resolve(143), { once: true });
      containers.set(container, { output, exit: resolve });
      return await promise;
    },
  };
  return { program, containers };
}

/** Makes a pod of such containers and waits until they run. @returns the folder of its logs, as the kubelet serves it */
export async function runByHand(there: TestSandbox, name: string, containers: string[]): Promise<string> {
  const spec = {
    terminationGracePeriodSeconds: 1,
    containers: containers.map((container) => ({ name: container, image: IMAGE })),
  };
  const { status } = await there.send("POST", `${CORE}/pods`, {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name },
    spec,
  });
  if (status !== 201) throw new Error(`the pod was answered with ${status}`);
  const pod = await until("the running containers", async () => {
    const { body } = await there.send("GET", `${CORE}/pods/${name}`);
    const statuses = (body.status.containerStatuses ?? []) as Json[];
    return statuses.length > 0 && statuses.every(({ state }) => state.running) && body;
  });
  return `/logs/pods/default_${name}_${pod.metadata.uid}`;
}

export function configMap(name: string, data: Record<string, string>): Json {
  return { apiVersion: "v1", kind: "ConfigMap", metadata: { name }, data };
}

export function testRun(name: string, spec: Json = {}, metadata: Json = {}): Json {
  const script = { configMap: { name: "script", file: "script.js" } };
  return {
    apiVersion: "k6.io/v1alpha1",
    kind: "TestRun",
    metadata: { name, ...metadata },
    spec: { parallelism: 1, script, initializer: { image: IMAGE }, runner: { image: IMAGE }, ...spec },
  };
}

/** Waits for a condition of the cluster, not for a time. */
export async function until<T>(
  what: string,
  look: () => Promise<T | undefined | false> | T | undefined | false,
  timeoutMs = 15_000,
): Promise<T> {
  const end = Date.now() + timeoutMs;
  for (;;) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
    if (Date.now() > end) throw new Error(`waited ${timeoutMs} ms for ${what}`);
    await delay(15);
  }
}

/** The TestRun once it has one of the stages. */
export async function reached(there: TestSandbox, name: string, ...stages: string[]): Promise<Json> {
  let last: string | undefined;
  return await until(`stage ${stages.join(" or ")} of ${name}, which is ${last}`, async () => {
    const { body } = await there.send("GET", `${TESTRUNS}/${name}`);
    last = body.status?.stage;
    return last !== undefined && stages.includes(last) && body;
  });
}

export async function podsOf(there: TestSandbox, run: string, more = ""): Promise<Json[]> {
  return (await there.send("GET", `${CORE}/pods?labelSelector=k6_cr%3D${run}${more}`)).body.items as Json[];
}

export async function logOf(there: TestSandbox, pod: string, query = ""): Promise<string> {
  return (await there.send("GET", `${CORE}/pods/${pod}/log${query}`)).text;
}

/** The events of a watch, as they come. */
export interface Watch {
  events: { type: string; object: Json }[];
  ended: Promise<"clean" | "cut">;
  stop(): void;
}

export async function watch(there: TestSandbox, path: string, query: string): Promise<Watch> {
  const abort = new AbortController();
  const headers = { authorization: `Bearer ${there.sandbox.token}` };
  const response = await fetch(`${there.sandbox.url}${path}?watch=true&${query}`, { headers, signal: abort.signal });
  const events: { type: string; object: Json }[] = [];
  const read = async (): Promise<"clean" | "cut"> => {
    let rest = "";
    try {
      for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
        const lines = (rest + chunk).split("\n");
        rest = lines.pop()!;
        for (const line of lines) events.push(JSON.parse(line) as { type: string; object: Json });
      }
      return "clean";
    } catch {
      return "cut";
    }
  };
  return { events, ended: read(), stop: () => abort.abort() };
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
