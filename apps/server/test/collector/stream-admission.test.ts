import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { StreamAdmission } from "../../src/collector/stream-admission.ts";

const never = new AbortController().signal;

beforeEach(() => void vi.useFakeTimers({ toFake: ["performance"] }));
afterEach(() => void vi.useRealTimers());

/** What a stream says of a loss that is noticed so long after it had to wait for so long. */
async function reasonAfter(waitMs: number, laterMs: number): Promise<string> {
  const { promise: room, resolve } = Promise.withResolvers<void>();
  const stream = new StreamAdmission({ mayRead: () => false, admission: () => room });
  const waiting = stream.admission(true, never);
  vi.advanceTimersByTime(waitMs);
  resolve();
  await waiting;
  vi.advanceTimersByTime(laterMs);
  return stream.reasonOfLoss;
}

test.each([
  ["a short wait, for a database that keeps up", 900, 0, "rotated"],
  ["a long wait", 30_000, 0, "spool_full"],
  ["a long wait, a while ago", 30_000, 59_000, "spool_full"],
  ["a long wait, long ago", 30_000, 61_000, "rotated"],
])("lines that are gone after %s", async (_, waited, later, reason) => {
  expect(await reasonAfter(waited, later)).toBe(reason);
});

test("lines of a stream that never waited were rotated away", () => {
  const stream = new StreamAdmission({ mayRead: () => true, admission: () => Promise.resolve() });
  expect(stream.mayRead(true)).toBe(true);
  expect(stream.reasonOfLoss).toBe("rotated");
});
