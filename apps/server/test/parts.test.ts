import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseDuration } from "../src/settings/duration.ts";
import { backoffMs } from "../src/supervisor/backoff.ts";
import { Gate } from "../src/supervisor/gate.ts";
import { Waker } from "../src/supervisor/waker.ts";

describe("Gate", () => {
  test("never runs more than its limit, and runs all, also when tasks fail", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 4 }),
        fc.array(fc.boolean(), { maxLength: 20 }),
        async (limit, fails) => {
          const gate = new Gate(limit);
          let running = 0;
          let most = 0;
          const results = await Promise.allSettled(
            fails.map((fail) =>
              gate.run(async () => {
                running += 1;
                most = Math.max(most, running);
                await Promise.resolve();
                running -= 1;
                if (fail) throw new Error("no");
              }),
            ),
          );
          expect(results.map(({ status }) => status === "rejected")).toEqual(fails);
          expect(most).toBeLessThanOrEqual(limit);
          expect(most).toBe(Math.min(limit, fails.length));
        },
      ),
    );
  });
});

describe("Waker", () => {
  const never = new AbortController().signal;

  test("a wake-up before the sleep is not lost, and counts once", async () => {
    const waker = new Waker();
    waker.wake();
    waker.wake();
    await waker.sleep(60_000, never);
    let second = false;
    const sleeping = waker.sleep(60_000, never).then(() => (second = true));
    await Promise.resolve();
    expect(second).toBe(false);
    waker.wake();
    await sleeping;
  });

  test("sleeps for its time, and no longer than the signal", async () => {
    const waker = new Waker();
    await waker.sleep(1, never);
    const abort = new AbortController();
    const sleeping = waker.sleep(60_000, abort.signal);
    abort.abort();
    await sleeping;
    await waker.sleep(60_000, abort.signal);
  });
});

test("backoffMs grows to 5 s and never passes it", () => {
  expect(backoffMs(1, 0)).toBe(125);
  expect(backoffMs(1, 0.999)).toBeLessThan(250);
  expect(backoffMs(2, 0)).toBe(250);
  expect(backoffMs(1000, 0.999)).toBeLessThan(5000);
});

test("parseDuration reads what people write, and nothing else", () => {
  expect(["500ms", "5s", "1.5m", "24h"].map(parseDuration)).toEqual([500, 5000, 90_000, 86_400_000]);
  expect(["5", "5 s", "-1s", "s", "1d", ""].map(parseDuration)).toEqual([null, null, null, null, null, null]);
});
