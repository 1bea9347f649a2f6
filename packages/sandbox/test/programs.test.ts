import { expect, test } from "vitest";
import type { Program } from "@tailrace/sandbox";
import {
  configMap,
  CORE,
  IMAGE,
  logOf,
  openSandbox,
  podsOf,
  raw,
  reached,
  testRun,
  TESTRUNS,
  until,
  watch,
  type Json,
  type TestSandbox,
} from "./support.ts";

const pod = (name: string): Json => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name },
  spec: { terminationGracePeriodSeconds: 1, containers: [{ name: "c", image: IMAGE, command: ["false"] }] },
});
const create = async (there: TestSandbox, name: string): Promise<Json> =>
  (await there.send("POST", `${CORE}/pods`, pod(name))).body;
const named = (name: string, program: Omit<Program, "matches">): Program => ({
  matches: ({ metadata }) => metadata.name === name,
  ...program,
});
const terminated = (there: TestSandbox, name: string): Promise<Json> =>
  until("its end", async () => {
    const { body } = await there.send("GET", `${CORE}/pods/${name}`);
    return body.status.containerStatuses?.[0].state.terminated ?? false;
  });

test("writes exact bytes, and ends with its code", async () => {
  const bytes = named("bytes", {
    run: async (output) => {
      const chunk = Buffer.from("a\0\xff\r\nb", "latin1");
      output.write("stdout", chunk);
      // What was given may be used again.
      chunk.fill(0x78);
      output.write("stderr", Buffer.from("err\n"));
      output.write("stdout", Buffer.from("c\nend"));
      await Promise.resolve();
      return 7;
    },
  });
  await using there = await openSandbox({ programs: [bytes] });
  const { metadata } = await create(there, "bytes");
  expect(await terminated(there, "bytes")).toMatchObject({ exitCode: 7, reason: "Error" });
  const { body } = await raw(there.sandbox, { path: `/logs/pods/default_bytes_${metadata.uid}/c/0.log` });
  const records = body.split("\n").map((line) => line.slice(line.indexOf(" ") + 1));
  expect(records).toEqual(["stdout F a\0\xff", "stderr F err", "stdout F bc", "stdout P end", ""]);
});

test("stamps with its own clock, also the same and earlier times", async () => {
  const times = ["10.5", "10.500000001", "10.500000001", "09.000000000", "11.120000000"];
  const stamps = times.map((time) => `2026-11-23T16:22:${time.padEnd(12, "0")}Z`);
  const left = [...stamps];
  const clock = named("clock", {
    run: (output) => {
      output.write("stdout", Buffer.from("1\n2\n3\n4\n5\n"));
      return Promise.resolve(0);
    },
    clock: () => left.shift()!,
  });
  await using there = await openSandbox({ programs: [clock] });
  await create(there, "clock");
  await terminated(there, "clock");
  const expected = stamps.map((stamp, at) => `${stamp} ${at + 1}\n`).join("");
  expect(await logOf(there, "clock", "?timestamps=true")).toBe(expected);
});

test("a deletion asks it to end, and ends it when its grace is over", async () => {
  const willing = named("willing", {
    run: async (output, { terminated: asked }) => {
      await new Promise((resolve) => asked.addEventListener("abort", resolve));
      output.write("stdout", Buffer.from("asked\n"));
      return 3;
    },
  });
  const stubborn = named("stubborn", {
    run: (output, { terminated: asked }) =>
      new Promise(() => {
        asked.addEventListener("abort", () => output.write("stdout", Buffer.from("no\n")));
      }),
  });
  const leaving = named("leaving", {
    run: (_, { terminated: asked }) =>
      new Promise((_resolve, reject) => {
        asked.addEventListener("abort", () => reject(asked.reason as Error));
      }),
  });
  await using there = await openSandbox({ programs: [willing, stubborn, leaving] });
  const codes: Record<string, Json> = { willing: [3, "asked\n"], stubborn: [137, "no\n"], leaving: [143, ""] };
  for (const name of Object.keys(codes)) await create(there, name);
  for (const [name, [code, text]] of Object.entries(codes)) {
    await until("its start", async () => {
      const { body } = await there.send("GET", `${CORE}/pods/${name}`);
      return body.status.containerStatuses?.[0].state.running !== undefined;
    });
    const seen = await watch(there, `${CORE}/pods`, `fieldSelector=metadata.name%3D${name}`);
    const followed = logOf(there, name, "?follow=true");
    await there.send("DELETE", `${CORE}/pods/${name}`);
    const last = await until("the pod's end", () => seen.events.find(({ type }) => type === "DELETED"));
    seen.stop();
    expect(last.object.status.containerStatuses[0].state.terminated.exitCode).toBe(code);
    expect(await followed).toBe(text);
  }
  expect(there.problems).toEqual([]);
});

test("an error ends it with 1 and its message", async () => {
  const broken = named("broken", { run: () => Promise.reject(new Error("no such thing")) });
  await using there = await openSandbox({ programs: [broken] });
  await create(there, "broken");
  expect(await terminated(there, "broken")).toMatchObject({ exitCode: 1 });
  expect(await logOf(there, "broken")).toBe("no such thing\n");
});

test("stands for the runners of a TestRun: it waits to be resumed, and hears of a stop", async () => {
  const runner: Program = {
    matches: ({ metadata }) => metadata.labels?.runner === "true",
    run: async (output, { pod: { metadata }, terminated: asked, resumed }) => {
      output.write("stderr", Buffer.from(`${metadata.labels?.["job-name"]} waits\n`));
      await resumed;
      output.write("stdout", Buffer.from("resumed\n"));
      if (!asked.aborted) await new Promise((resolve) => asked.addEventListener("abort", resolve));
      return 103;
    },
  };
  await using there = await openSandbox({ programs: [runner] });
  await there.send(
    "POST",
    `${CORE}/configmaps`,
    configMap("script", { "script.js": "export const options = { vus: 2 }; export default function () {}" }),
  );
  await there.send("POST", TESTRUNS, testRun("run", { parallelism: 2 }));
  await reached(there, "run", "started");
  const runners = await podsOf(there, "run", ",runner");
  expect(runners).toHaveLength(2);
  for (const { metadata } of runners) {
    await until("its resumption", async () => (await logOf(there, metadata.name)).endsWith("resumed\n"));
    expect(await logOf(there, metadata.name)).toBe(`${metadata.labels["job-name"]} waits\nresumed\n`);
    const stop = { data: { type: "status", id: "default", attributes: { stopped: true } } };
    await there.send("PATCH", `${CORE}/pods/${metadata.name}:6565/proxy/v1/status`, stop);
    expect(await terminated(there, metadata.name)).toMatchObject({ exitCode: 103 });
  }
  await reached(there, "run", "finished");
  expect(there.problems).toEqual([]);
});
