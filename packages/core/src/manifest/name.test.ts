import fc from "fast-check";
import { expect, it } from "vitest";
import { ID_PATTERN, makeId } from "../ids.ts";
import { TEST_RUN_NAME_PATTERN, operatorNames } from "../run-config/name.ts";
import { labelValue } from "./labels.ts";
import { testRunName } from "./name.ts";

const id = fc.stringMatching(ID_PATTERN);
const madeId = fc.uint8Array({ minLength: 16, maxLength: 16 }).map(makeId);
const LABEL = /^[a-z]([-a-z0-9]*[a-z0-9])?$/;

it("names a TestRun by scenario and run", () => {
  expect(testRunName("load-test-scenario", "0123456789abcdef")).toBe("k6-load-test-scenario-0123456789abcdef");
  expect(testRunName("plz-test-1", "0123456789abcdef")).toBe("k6-plz-test-1-0123456789abcdef");
  expect(testRunName("a".repeat(63), "0123456789abcdef")).toBe(`k6-${"a".repeat(31)}-0123456789abcdef`);
  expect(testRunName(`${"a".repeat(30)}-b`, "0123456789abcdef")).toBe(`k6-${"a".repeat(30)}-0123456789abcdef`);
  expect(testRunName("smoke", "given-by-hand-")).toMatch(/^k6-smoke-[0-9a-z]{26}$/);
});

it("makes names that the run config and every object of the operator take", () => {
  fc.assert(
    fc.property(id, fc.oneof(id, madeId), (scenarioId, runId) => {
      const name = testRunName(scenarioId, runId);
      expect(name).toMatch(TEST_RUN_NAME_PATTERN);
      const { initializer, starter, stopper, runners, services } = operatorNames(name, 10);
      for (const derived of [initializer, starter, stopper, ...runners, ...services]) {
        expect(derived).toMatch(LABEL);
        expect(derived.length).toBeLessThanOrEqual(63);
      }
    }),
  );
});

it("gives different runs different names, whatever their scenarios", () => {
  fc.assert(
    fc.property(id, id, fc.oneof(id, madeId), fc.oneof(id, madeId), (scenario, other, run, otherRun) => {
      fc.pre(run !== otherRun);
      expect(testRunName(scenario, run)).not.toBe(testRunName(other, otherRun));
      expect(testRunName(scenario, run)).toBe(testRunName(scenario, run));
    }),
  );
  expect(testRunName("a-b", "c")).not.toBe(testRunName("a", "b-c"));
});

it("makes label values of ids, different ones of different ids", () => {
  expect(labelValue("team-a")).toBe("team-a");
  expect(labelValue("team-")).toBe("teamZ");
  fc.assert(
    fc.property(id, id, (left, right) => {
      expect(labelValue(left)).toMatch(/^[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?$/);
      expect(labelValue(left) === labelValue(right)).toBe(left === right);
    }),
  );
});
