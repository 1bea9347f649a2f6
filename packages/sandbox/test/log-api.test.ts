import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { recorded } from "./recorded.ts";
import { CORE, IMAGE, openSandbox, until, watch, type Json, type TestSandbox } from "./support.ts";

const sh = (name: string, text: string): Json => ({ name, image: IMAGE, command: ["sh", "-c", text] });
const long = "echo one; head -c 40000 /dev/zero | tr '\\0' x; echo END; echo two";
const mixed =
  "echo first; head -c 20000 /dev/zero | tr '\\0' x >&2; sleep 0.5; echo out; sleep 0.5; head -c 20000 /dev/zero | tr '\\0' y >&2; sleep 0.5; echo mid; sleep 0.5; echo Z >&2; echo out2";

/** The containers of the recorded pods, with shorter waits. */
const CONTAINERS = [
  sh("empty", "true"),
  sh("no-newline", "echo one; printf two"),
  sh("crlf", "printf 'a\\r\\nb\\r\\r\\nc\\n\\r\\nd\\r'"),
  sh("long", long),
  sh("mixed", mixed),
  sh("stderr-closes-first", "echo out1; printf 'unfinished' >&2; exec 2>&-; sleep 1; echo out2; echo out3"),
  sh("late-newline", "printf 'half'; sleep 0.5; echo err >&2; sleep 0.5; printf ' and half\\n'"),
  sh("two-streams", "i=0; while [ $i -lt 400 ]; do echo o$i; echo e$i >&2; i=$((i+1)); done"),
  sh("running", "trap 'echo got TERM; printf bye; exit 0' TERM; echo tick; while true; do sleep 0.1 & wait $!; done"),
];

const pod = (name: string, spec: Json): Json => ({ apiVersion: "v1", kind: "Pod", metadata: { name }, spec });

let there: TestSandbox;
const get = (request: string): Promise<{ status: number; text: string }> =>
  there.send("GET", `${CORE}/pods/${request}`);
const contents = (body: string): string => body.replaceAll(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z /g, "");

beforeAll(async () => {
  there = await openSandbox({ images: [IMAGE], imageBackoffMs: 150, path: "/usr/local/bin:/usr/bin:/bin" });
  const pods = [
    pod("bytes", { terminationGracePeriodSeconds: 1, containers: CONTAINERS }),
    pod("no-image", { containers: [{ name: "c", image: "lab.local/none:1" }] }),
    pod("unscheduled", { nodeSelector: { no: "such" }, containers: [sh("c", "true")] }),
    pod("initialising", {
      terminationGracePeriodSeconds: 1,
      initContainers: [sh("i", "echo init; sleep 40")],
      containers: [sh("c", "echo main")],
    }),
  ];
  for (const each of pods) expect((await there.send("POST", `${CORE}/pods`, each)).status).toBe(201);
  await until("the containers' ends", async () => {
    const { body } = await there.send("GET", `${CORE}/pods/bytes`);
    const statuses = (body.status.containerStatuses ?? []) as Json[];
    return statuses.filter(({ state }) => state.terminated).length === CONTAINERS.length - 1;
  });
});
afterAll(() => there[Symbol.asyncDispose]());

describe("the log API answers as it was recorded", () => {
  test.each([
    "unscheduled",
    "unscheduled-follow",
    "initialising-main",
    "unknown-container",
    "no-container-named",
    "unknown-pod",
    "unknown-pod-follow",
    "bad-since-time",
    "bad-since-seconds",
    "stream-not-allowed",
    "never-restarted-previous",
  ])("%s", async (id) => {
    const { request, status, body } = recorded(id);
    expect(await get(request)).toMatchObject({ status, text: body });
  });

  test.each([
    "plain-empty",
    "plain-no-newline",
    "plain-crlf",
    "plain-long",
    "plain-mixed",
    "plain-stderr-closes-first",
    "plain-late-newline",
    "initialising-init",
  ])("%s, but for the times", async (id) => {
    const { request, status, body } = recorded(id);
    const answer = await get(request);
    expect(answer.status).toBe(status);
    expect(contents(answer.text)).toBe(contents(body));
  });

  test("each stamp has nine digits and each line one", async () => {
    const { text } = await get("bytes/log?container=two-streams&timestamps=true");
    expect(text).toMatch(/^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z [oe]\d+\n){800}$/);
    const numbers = contents(text)
      .split("\n")
      .filter((line) => line.startsWith("e"));
    expect(numbers).toEqual(Array.from({ length: 400 }, (_, at) => `e${at}`));
  });

  test("waiting for an image, in both of its states", async () => {
    const words = new Set<string>();
    await until("both reasons", async () => {
      const { status, text } = await get("no-image/log?timestamps=true");
      if (status === 400) words.add(text);
      return (
        words.size >= 2 &&
        Array.from(words).some((each) => each.includes("image can't be pulled")) &&
        Array.from(words).some((each) => each.includes("trying and failing to pull image"))
      );
    });
    expect(words).toContain(recorded("waiting-for-image").body);
  });

  test("sinceTime is cut to its second and counts its own second in", async () => {
    const { text } = await get("bytes/log?container=no-newline&timestamps=true");
    const [first, last] = text.split("\n").map((line) => line.slice(0, 30)) as [string, string];
    const since = await get(`bytes/log?container=no-newline&timestamps=true&sinceTime=${last.slice(0, 19)}.999999999Z`);
    expect(since.text).toBe(first.slice(0, 19) === last.slice(0, 19) ? text : text.slice(text.indexOf("\n") + 1));
    const next = new Date(Date.parse(last) + 1000).toISOString();
    expect((await get(`bytes/log?container=no-newline&sinceTime=${next}`)).text).toBe("");
  });

  test("a followed container's end is the stream's, also when the pod is deleted; after it 404", async () => {
    const events = await watch(there, `${CORE}/pods`, "fieldSelector=metadata.name%3Dbytes");
    const followed = get("bytes/log?container=running&follow=true");
    await until("the first line", async () => (await get("bytes/log?container=running")).text.includes("tick"));
    expect((await there.send("DELETE", `${CORE}/pods/bytes`)).body.metadata.deletionGracePeriodSeconds).toBe(1);
    expect((await followed).text).toBe("tick\ngot TERM\nbye");
    const gone = await until("the pod's end", () => events.events.find(({ type }) => type === "DELETED"));
    expect(gone.object.status.phase).toBe("Succeeded");
    events.stop();
    const { status, body } = recorded("deleting");
    expect(await get("bytes/log?container=running")).toMatchObject({ status, text: body });
    expect(there.problems).toEqual([]);
  });
});
