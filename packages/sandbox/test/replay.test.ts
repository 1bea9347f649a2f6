import fc from "fast-check";
import { expect, test } from "vitest";
import { formatDuration, parseDuration, planReplay, segmentShare } from "../src/replay/plan.ts";

test.each([
  ["export const options = { vus: 4, duration: '1m30s' }", [], {}, { maxVUs: 4, duration: 90_000 }],
  [
    "export const options = { vus: 4, duration: '1m30s' }",
    ["--vus", "7", "-d", "5s"],
    {},
    { maxVUs: 7, duration: 5000 },
  ],
  [
    "export const options = { vus: 4, duration: '1m30s' }",
    ["--vus=7"],
    { K6_VUS: "9", K6_DURATION: "2s" },
    { maxVUs: 7, duration: 2000 },
  ],
  [
    "stages: [{ duration: '10s', target: 5 }, { duration: '20s', target: 20 }]",
    [],
    {},
    { maxVUs: 20, duration: 30_000 },
  ],
  [
    "scenarios: { a: { duration: '5s', preAllocatedVUs: 12 }, b: { duration: '7s', vus: 2 } }",
    [],
    {},
    { maxVUs: 12, duration: 7000 },
  ],
  ["// vus: 100\n/* duration: '9s' */ export default function () {}", [], {}, { maxVUs: 1, duration: undefined }],
  ["export const options = { vus: Number(__ENV.VUS), iterations: 20 }", [], {}, { maxVUs: undefined, iterations: 20 }],
])("%s %j %j", (script, args, env, expected) => {
  expect(planReplay(script, args, env as Record<string, string>)).toMatchObject(expected);
});

test("durations are read as they are printed", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 360_000 }),
      (seconds) => parseDuration(formatDuration(seconds * 1000)) === seconds * 1000,
    ),
  );
  expect([formatDuration(630_000), parseDuration("1.5s"), parseDuration("soon")]).toEqual(["10m30s", 1500, undefined]);
});

test("the runners share all of the VUs", () => {
  fc.assert(
    fc.property(fc.nat(100), fc.integer({ min: 1, max: 10 }), (vus, runners) => {
      const shares = Array.from({ length: runners }, (_, at) => segmentShare(vus, at + 1, runners));
      expect(shares.reduce((sum, each) => sum + each, 0)).toBe(vus);
      expect(Math.max(...shares) - Math.min(...shares)).toBeLessThanOrEqual(1);
    }),
  );
});
