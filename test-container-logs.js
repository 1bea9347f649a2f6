#!/usr/bin/env node
// Checks that a test run with two runners keeps the logs of all of its containers, through the REST API.
//
//   node test-container-logs.js
//
// TAILRACE_URL names the server (TAILRACE_TOKEN a token of the role admin, since the script deletes what it made;
// TAILRACE_TEAM the team, default demo). Without it a server
// with the sandbox is started on a free port and stopped afterwards. Needs Node 20 or later.

import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { chmodSync, existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";

const root = dirname(fileURLToPath(import.meta.url));
const pinnedNode = join(root, "node_modules/node/bin", process.platform === "win32" ? "node.exe" : "node");

const PARALLELISM = 2;
const START_MS = 120_000;
const RUN_MS = 300_000;
const POLL_MS = 1000;
const ENDED = ["finished", "error"];

const mark = randomBytes(5).toString("hex");
const scenarioId = `container-logs-${mark}`;
const script = `
import { sleep } from "k6";
export const options = { vus: 2, duration: "6s" };
export default function () {
  console.log("${mark}");
  sleep(0.5);
}
`;

const interrupted = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"]) {
  process.once(signal, () => interrupted.abort(new Error(`ended by ${signal}`)));
}

let checks = 0;
let server = null;
try {
  server = await openServer();
  await test(server);
  if (!process.exitCode) console.log(`\nAll ${checks} checks passed.`);
} catch (error) {
  console.error(`\n✗ ${error.message}`);
  process.exitCode = 1;
} finally {
  await server?.close();
}

async function test({ api, text }) {
  let run = null;
  await api("POST", "/scenarios", 201, { id: scenarioId, name: "Container logs", script });
  try {
    await refusesWrongParallelism(api);

    const wanted = { scenarioId, comment: "test-container-logs.js", parallelism: PARALLELISM };
    run = await api("POST", "/test-runs", 201, wanted);
    check(
      "the run is created",
      { parallelism: run.parallelism, status: run.status, steps: run.steps.length },
      { parallelism: 2, status: "pending", steps: 1 },
    );
    console.log(`  run ${run.id}, TestRun ${run.steps[0].name}`);

    run = await waitForExecution(api, run);
    run = await waitForEnd(api, run);
    check("the run is finished", { status: run.status, error: run.error }, { status: "finished", error: null });

    const logs = run.steps[0].containerLogs ?? "";
    checkLogs(logs, run.steps[0].name);
    const plain = await text(`/test-runs/${run.id}/logs`);
    check("the logs as text are the run's containerLogs", plain.body === logs, true);
    check("they are text/plain", plain.type.split(";")[0], "text/plain");
  } finally {
    await cleanUp(api, run);
  }
}

async function refusesWrongParallelism(api) {
  for (const parallelism of [0, 11, 1.5, "2", null]) {
    const answer = await api("POST", "/test-runs", 400, { scenarioId, parallelism });
    const named = JSON.stringify(answer).includes("parallelism must be an integer from 1 to 10");
    check(`parallelism ${JSON.stringify(parallelism)} is refused with its limits`, named, true);
  }
  const { items } = await api("GET", `/test-runs?scenarioId=${scenarioId}`, 200);
  check("a refused request leaves no run behind", items.length, 0);
}

/** Waits until both runners have said something. */
async function waitForExecution(api, run) {
  return await follow(api, run, "the execution to begin", (now) => {
    const runners = readContainers(now.steps[0].containerLogs ?? "").filter(
      ({ pod, lines }) => /-\d+-[a-z0-9]+$/.test(pod) && hasContent(lines),
    );
    return runners.length >= PARALLELISM || ENDED.includes(now.status);
  });
}

async function waitForEnd(api, run) {
  return await follow(api, run, "the run to end", (now) => ENDED.includes(now.status));
}

async function follow(api, run, what, isReached) {
  const started = Date.parse(run.createdAt);
  const patience = Date.now() + RUN_MS;
  let told = "";
  for (;;) {
    const now = await api("GET", `/test-runs/${run.id}`, 200);
    const [step] = now.steps;
    const containers = readContainers(step.containerLogs ?? "");
    const lines = containers.reduce((sum, container) => sum + container.lines.length, 0);
    const progress = `${now.status}, stage ${step.stage ?? "none"}, ${containers.length} containers, ${lines} lines`;
    if (progress !== told)
      console.log(`  ${String(Math.round((Date.now() - started) / 1000)).padStart(3)} s  ${progress}`);
    told = progress;
    if (isReached(now)) return now;
    if (Date.now() > patience) throw new Error(`waited ${RUN_MS / 1000} s for ${what}; last seen: ${progress}`);
    await delay(POLL_MS, undefined, { signal: interrupted.signal }).catch(() => interrupted.signal.throwIfAborted());
  }
}

function checkLogs(logs, testRun) {
  const containers = readContainers(logs);
  const roles = containers.map(({ pod }) =>
    pod.startsWith(`${testRun}-`) ? pod.slice(testRun.length + 1).replace(/-[a-z0-9]+$/, "") : pod,
  );
  check("the containers are there once each, in order", roles, ["initializer", "starter", "1", "2"]);
  check(
    "none of them could not be read",
    containers.filter(({ note }) => note !== undefined).map(({ pod, note }) => `${pod} ${note}`),
    [],
  );
  for (const [index, { lines }] of containers.entries()) {
    const name = /^\d/.test(roles[index]) ? `runner ${roles[index]}` : `the ${roles[index]}`;
    check(`${name} has lines below its header (${lines.length})`, hasContent(lines), true);
  }
  const headers = [...logs.matchAll(/^(.*)\n=== Container: /gm)];
  check(
    "a blank line stands between containers",
    headers.map(([, before]) => before),
    ["", "", ""],
  );
  check("no line has the kubelet's time stamp", /^\d{4}-\d\d-\d\dT[\d:.]+Z /m.test(logs), false);
  const runners = containers.slice(2);
  const isReplay = runners.some(({ lines }) =>
    lines.some((line) => line.includes("sandbox:") && line.includes("replay")),
  );
  if (isReplay) console.log("  k6 is not installed here: the runners' lines are a replay, as their log says");
  else
    check(
      "each runner ran this script",
      runners.map(({ lines }) => lines.some((line) => line.includes(mark))),
      [true, true],
    );
}

/** Reads `=== Container: {pod} ===` headers and the lines below them; a blank line before a header belongs to none. */
function readContainers(logs) {
  const containers = [];
  for (const line of logs.replace(/\n$/, "").split("\n")) {
    const header = /^=== Container: ([^ /#]+)[^ ]*(?: \(([A-Z]+)\))? ===$/.exec(line);
    if (header === null) {
      containers.at(-1)?.lines.push(line);
    } else {
      const before = containers.at(-1)?.lines;
      if (before?.at(-1) === "") before.pop();
      containers.push({ pod: header[1], note: header[2], lines: [] });
    }
  }
  return containers;
}

function hasContent(lines) {
  return lines.some((line) => line.trim() !== "");
}

function check(what, found, expected) {
  const [is, should] = [JSON.stringify(found), JSON.stringify(expected)];
  if (is !== should) throw new Error(`${what}: expected ${should}, found ${is}`);
  checks += 1;
  console.log(`✓ ${what}`);
}

/** Removes run and scenario, also when the run is still going on. */
async function cleanUp(api, run) {
  const failures = [];
  const attempt = async (what, action) => {
    try {
      await action();
    } catch (error) {
      failures.push(`${what}: ${error.message}`);
    }
  };
  if (run !== null) await attempt("deleting the run", () => deleteRun(api, run));
  await attempt("deleting the scenario", () => api("DELETE", `/scenarios/${scenarioId}`, [204, 404]));
  if (failures.length > 0) {
    process.exitCode = 1;
    console.error(`✗ cleaning up failed: ${failures.join("; ")}`);
  } else {
    console.log("  run and scenario are deleted");
  }
}

async function deleteRun(api, run) {
  const path = `/test-runs/${run.id}`;
  await api("POST", `${path}/stop`, 200);
  const deadline = Date.now() + RUN_MS;
  while (!ENDED.includes((await api("GET", path, 200)).status)) {
    if (Date.now() > deadline) throw new Error(`run ${run.id} did not stop within ${RUN_MS / 1000} s`);
    await delay(POLL_MS);
  }
  await api("DELETE", path, 204);
}

/** The server that the environment names, or one of our own. */
async function openServer() {
  const { TAILRACE_URL: given } = process.env;
  if (given) return { ...client(given.replace(/\/$/, ""), process.env.TAILRACE_TEAM || "demo"), close: async () => {} };
  if (!existsSync(pinnedNode)) {
    throw new Error("the packages are not installed. Run:  node scripts/with-packages.js install");
  }
  const dataDir = mkdtempSync(join(tmpdir(), "tailrace-logs-"));
  // As root, the database runs as another user.
  if (process.getuid?.() === 0) chmodSync(dataDir, 0o711);
  console.log("  starting a server with the sandbox (TAILRACE_URL names another one)");
  const child = spawn(pinnedNode, ["--conditions=source", join(root, "apps/server/src/main.ts"), "demo"], {
    cwd: root,
    env: {
      ...process.env,
      HOST: "127.0.0.1",
      PORT: "0",
      DATABASE_URL: "",
      TAILRACE_DATA_DIR: dataDir,
      TAILRACE_LOG_FORMAT: "json",
      TAILRACE_LOG_LEVEL: "info",
    },
    stdio: ["ignore", "ignore", "pipe"],
  });
  const exited = once(child, "exit");
  const close = async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill("SIGTERM");
    await exited;
    rmSync(dataDir, { recursive: true, force: true });
  };
  try {
    const url = await urlOf(child);
    console.log(`  ${url}`);
    return { ...client(url, "demo"), close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Waits for the log line that says where the server listens, and goes on reading so that it can go on writing. */
function urlOf(child) {
  return new Promise((resolve, reject) => {
    const last = [];
    const fail = (why) => reject(new Error([why, ...last].join("\n  ")));
    const timer = setTimeout(() => fail(`the server did not start within ${START_MS / 1000} s`), START_MS);
    interrupted.signal.addEventListener("abort", () => reject(interrupted.signal.reason));
    child.once("error", (error) => fail(error.message));
    child.once("exit", (code) => fail(`the server ended with ${code}`));
    createInterface({ input: child.stderr }).on("line", (line) => {
      last.push(line);
      if (last.length > 20) last.shift();
      const url = /"url":"(http[^"]+)"/.exec(line);
      if (url === null) return;
      clearTimeout(timer);
      resolve(url[1]);
    });
  });
}

/** Requests below the team's path. A status that was not expected is an error that shows the answer. */
function client(origin, team) {
  const base = `${origin}/api/dashboard/load-testing/teams/${team}`;
  const token = process.env.TAILRACE_TOKEN;
  const request = async (method, path, statuses, body) => {
    const headers = {
      ...(body === undefined ? {} : { "content-type": "application/json" }),
      ...(token ? { authorization: `Bearer ${token}` } : {}),
    };
    const options = { method, headers, signal: AbortSignal.timeout(30_000) };
    if (body !== undefined) options.body = JSON.stringify(body);
    const response = await fetch(base + path, options).catch((error) => {
      throw new Error(`${method} ${base}${path}: ${error.cause?.message ?? error.message}`);
    });
    const text = await response.text();
    if (![statuses].flat().includes(response.status)) {
      throw new Error(`${method} ${path}: expected ${statuses}, found ${response.status} ${text.slice(0, 500)}`);
    }
    return { text, type: response.headers.get("content-type") ?? "" };
  };
  return {
    api: async (method, path, statuses, body) => {
      const { text } = await request(method, path, statuses, body);
      return text === "" ? null : JSON.parse(text);
    },
    text: async (path) => {
      const { text, type } = await request("GET", path, 200);
      return { body: text, type };
    },
  };
}
