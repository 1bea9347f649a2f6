import { type ContainerSection, formatContainerLogs } from "@tailrace/core";
import { describe, expect, it } from "vitest";
import { type FollowEvent, type FollowState, readSnapshot } from "../src/follow/read-snapshot.ts";
import { renderEvent } from "../src/follow/render.ts";
import { createStyle } from "../src/terminal/style.ts";

const T = "k6-checkout-1";

function section(pod: string, lines: string[], more: Partial<ContainerSection> = {}): ContainerSection {
  return { pod: `${T}-${pod}-x7k2p`, container: null, restart: 0, state: "log", reason: null, lines, ...more };
}

/** What a follower prints for these snapshots, one after the other. */
function follow(snapshots: ContainerSection[][], wholeReport = false): string[] {
  let state: FollowState = new Map();
  const events: FollowEvent[] = [];
  for (const [index, sections] of snapshots.entries()) {
    const ended = index === snapshots.length - 1;
    const text = formatContainerLogs(sections);
    const read = readSnapshot(state, { testRun: T, parallelism: 2, text, ended }, { wholeReport });
    state = read.state;
    events.push(...read.events);
  }
  return events.flatMap((event) => renderEvent(event, 11, createStyle(false)));
}

const REPORT = ["{", '  "totalDuration": "1m30s",', '  "maxVUs": 4', "}"];

function answer(code: number): string {
  return `{"data":{"type":"status"}}\n{"http_code":${code},"url":"http://10.96.0.4:6565/v1/status","errormsg":""}`;
}

/** The answers are not separated by a newline. */
const STARTED = (answer(200) + answer(200)).split("\n");

describe("readSnapshot", () => {
  it("prints each line of each container once, behind its role", () => {
    expect(
      follow([
        [section("initializer", REPORT)],
        [section("initializer", REPORT), section("starter", STARTED), section("1", ["a"]), section("2", ["b"])],
        [
          section("initializer", REPORT),
          section("starter", STARTED),
          section("1", ["a", "c"]),
          section("2", ["b", "", "d"]),
        ],
      ]),
    ).toEqual([
      "initializer │ script accepted: 4 VUs, 1m30s at most (--all shows the report)",
      "starter     │ started all 2 runners (--all shows the answers)",
      "runner 1/2  │ a",
      "runner 2/2  │ b",
      "runner 1/2  │ c",
      "runner 2/2  │",
      "runner 2/2  │ d",
    ]);
  });

  it("shows the whole report if asked, and half a one once nothing follows", () => {
    expect(follow([[section("initializer", REPORT)]], true)).toHaveLength(4);
    expect(follow([[section("initializer", REPORT.slice(0, 2))], [section("initializer", REPORT)]])).toHaveLength(1);
    expect(follow([[section("initializer", REPORT.slice(0, 2))]])).toHaveLength(2);
  });

  it("shows what the starter says where a runner did not take the request, and waits for all of it", () => {
    const failed = (answer(200) + answer(500)).split("\n");
    expect(follow([[section("starter", answer(200).split("\n"))], [section("starter", failed)]])).toHaveLength(
      failed.length,
    );
    expect(follow([[section("starter", answer(200).split("\n"))]])).toHaveLength(2);
    expect(follow([[section("starter", STARTED)]], true)).toHaveLength(STARTED.length);
  });

  it("shows why a script could not be loaded", () => {
    const line = 'time="…" level=error msg="ReferenceError: x is not defined"';
    expect(follow([[section("initializer", [line])]])).toEqual([`initializer │ ${line}`]);
  });

  it("says that lines are missing where two snapshots have nothing in common, and where the first is a tail", () => {
    expect(follow([[section("1", ["a", "b"])], [section("1", ["y", "z"])]])).toEqual([
      "runner 1/2  │ a",
      "runner 1/2  │ b",
      "runner 1/2  │ … lines not shown (snapshot holds the last 2 lines)",
      "runner 1/2  │ y",
      "runner 1/2  │ z",
    ]);
    expect(follow([[section("1", ["a"], { state: "truncated" })]])[0]).toContain("… lines not shown");
    const thousand = Array.from({ length: 1000 }, (_, index) => String(index));
    expect(follow([[section("1", thousand)]])[0]).toContain("… earlier lines may be missing");
    expect(follow([[section("1", thousand.slice(1))]])[0]).toBe("runner 1/2  │ 1");
  });

  it("says once why a container has no lines, and nothing of what every start has", () => {
    const waiting = (reason: string): ContainerSection[] => [section("1", [], { state: "waiting", reason })];
    expect(
      follow([
        waiting("ContainerCreating"),
        waiting("ErrImagePull: not found"),
        waiting("ImagePullBackOff: Back-off 10s"),
        waiting("ErrImagePull: again"),
        waiting("ImagePullBackOff: Back-off 20s"),
      ]),
    ).toEqual([
      "runner 1/2  │ waiting: ErrImagePull: not found",
      "runner 1/2  │ waiting: ImagePullBackOff: Back-off 10s",
    ]);
  });

  it("goes on behind a read that failed", () => {
    const failed = section("1", ["a"], { state: "error", reason: "the kubelet does not answer" });
    expect(follow([[section("1", ["a"])], [failed], [section("1", ["a", "b"])]])).toEqual([
      "runner 1/2  │ a",
      "runner 1/2  │ can't be read now: the kubelet does not answer",
      "runner 1/2  │ b",
    ]);
  });

  it("tells init containers and restarts apart", () => {
    const prepare = section("1", ["p"], { container: "prepare" });
    const first = section("1", ["a"], { container: "k6" });
    const second = section("1", ["a"], { container: "k6", restart: 1 });
    expect(
      follow([
        [prepare, first],
        [prepare, first, second],
      ]),
    ).toEqual(["runner 1/2 prepare │ p", "runner 1/2  │ a", "runner 1/2 #1 │ a"]);
  });

  it("shows control sequences of a log as text", () => {
    expect(follow([[section("1", ["\u001b[2J\rrunner 2/2 │ forged"])]])).toEqual([
      "runner 1/2  │ ␛[2J␍runner 2/2 │ forged",
    ]);
  });
});
