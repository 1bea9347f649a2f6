import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  configMap,
  CORE,
  k6Bin,
  logOf,
  openSandbox,
  podsOf,
  reached,
  testRun,
  TESTRUNS,
  until,
  WITHOUT_K6,
  type Json,
  type TestSandbox,
} from "./support.ts";

const SCRIPTS = {
  "pass.js":
    "import { sleep } from 'k6';\nexport const options = { vus: 4, duration: '1s' };\nexport default function () { console.log(`vu ${__VU} ${__ENV.WORD} ${__ENV.ARGUMENT}`); sleep(0.5); }\n",
  "throws.js":
    "import { sleep } from 'k6';\nfunction token() {\n  throw new Error('no token in the environment');\n}\ntoken();\nexport default function () {}\n",
  "long.js":
    "import { sleep } from 'k6';\nexport const options = { vus: 2, duration: '10m' };\nexport default function () { sleep(0.1); }\nexport function teardown() { console.log('torn down'); }\n",
};

describe.runIf(k6Bin !== undefined)(`with k6 itself${WITHOUT_K6}`, () => {
  let there: TestSandbox;
  beforeAll(async () => {
    there = await openSandbox({ mode: "k6", k6Bin });
    await there.send("POST", `${CORE}/configmaps`, configMap("script", SCRIPTS));
  });
  afterAll(async () => {
    expect(there.problems).toEqual([]);
    await there[Symbol.asyncDispose]();
  });

  const start = (name: string, file: keyof typeof SCRIPTS, spec: Json = {}): Promise<Json> => {
    const env = [
      { name: "K6_NO_USAGE_REPORT", value: "true" },
      { name: "WORD", value: "a $$ b" },
    ];
    return there.send(
      "POST",
      TESTRUNS,
      testRun(name, {
        parallelism: 2,
        script: { configMap: { name: "script", file } },
        ...spec,
        initializer: { image: "i", env },
        runner: { image: "i", env },
      }),
    );
  };
  const runners = (name: string): Promise<Json[]> => podsOf(there, name, ",runner");
  const exits = (pods: Json[]): number[] =>
    pods.map(({ status }) => status.containerStatuses[0].state.terminated.exitCode as number);

  test("each runner runs its segment of the script, with arguments and environment", async () => {
    expect([there.sandbox.runsRealK6, there.sandbox.k6Path]).toEqual([true, k6Bin]);
    await start("pass", "pass.js", { arguments: "-e ARGUMENT=given --vus 2" });
    await reached(there, "pass", "finished");
    const pods = await runners("pass");
    expect(exits(pods)).toEqual([0, 0]);
    for (const { metadata } of pods) {
      const log = await logOf(there, metadata.name);
      expect(log).toMatch(/msg="vu 1 a \$ b given" source=console/);
      expect(log).toMatch(/vus_max\.+: 1 /);
      expect(log).not.toContain("sandbox");
    }
    const [initializer] = await podsOf(there, "pass", ",job-name%3Dpass-initializer");
    expect(JSON.parse(await logOf(there, initializer!.metadata.name))).toMatchObject({
      totalDuration: "31s",
      maxVUs: 2,
    });
  });

  test("a script that throws fails in the initializer, under the path that it has in the pod", async () => {
    await start("throws", "throws.js");
    await reached(there, "throws", "error");
    const [pod] = await podsOf(there, "throws");
    expect(exits([pod!])).toEqual([1]);
    expect(await logOf(there, pod!.metadata.name)).toMatch(
      /msg="Error: no token in the environment\\n\\tat token \(file:\/\/\/test\/throws\.js:3:9/,
    );
  });

  test("a stop through the proxy ends it with 103 and its teardown, a deletion with 105", async () => {
    await start("stopped", "long.js");
    await reached(there, "stopped", "started");
    const pods = await runners("stopped");
    for (const { metadata } of pods) {
      const status = `${CORE}/pods/${metadata.name}:6565/proxy/v1/status`;
      await until("its iterations", async () => (await there.send("GET", status)).body.data.attributes.vus === 1);
    }
    const stop = { data: { type: "status", id: "default", attributes: { stopped: true } } };
    expect(
      (await there.send("PATCH", `${CORE}/pods/${pods[0]!.metadata.name}:6565/proxy/v1/status`, stop)).status,
    ).toBe(200);
    const followed = logOf(there, pods[1]!.metadata.name, "?follow=true");
    await there.send("DELETE", `${CORE}/pods/${pods[1]!.metadata.name}`);
    await reached(there, "stopped", "finished");
    const left = await runners("stopped");
    expect(exits(left)).toEqual([103]);
    expect(await logOf(there, left[0]!.metadata.name)).toContain(`msg="torn down"`);
    expect(await followed).toContain("test run was aborted because k6 received a 'terminated' signal");
  });
});
