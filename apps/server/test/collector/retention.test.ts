import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startRetention } from "../../src/collector/retention.ts";
import { collectLog } from "../support/collect-log.ts";
import { openStorage, type Storage } from "../support/collected.ts";

const DAY_MS = 86_400_000;

function day(offset: number): string {
  return new Date(Date.now() + offset * DAY_MS).toISOString().slice(0, 10);
}

describe("the retention", { timeout: 60_000 }, () => {
  let storage: Storage;
  beforeAll(async () => {
    storage = await openStorage();
  });
  afterAll(() => storage?.[Symbol.asyncDispose]());

  function start(retentionDays: number | null) {
    const { log, lines } = collectLog();
    const { store, spoolRoot: spoolDirectory } = storage;
    return { retention: startRetention({ store, retentionDays, spoolDirectory, log }), lines };
  }

  test("removes the days that are older than the setting says, and no other", async () => {
    for (const offset of [-12, -3, -1]) await storage.direct.prepareDay(day(offset));
    const { retention, lines } = start(2);
    await using _ = retention;
    await expect
      .poll(() => lines().map(({ days }) => days), { timeout: 10_000 })
      .toEqual([[day(-12), day(-11), day(-3)]]);
  });

  test("keeps all of them where it is never, has tomorrow's room ready, and is tried again", async () => {
    await storage.direct.prepareDay(day(-12));
    storage.line.refuse();
    const { retention, lines } = start(null);
    await using _ = retention;
    await expect.poll(() => lines().length, { timeout: 10_000 }).toBeGreaterThan(0);
    expect(lines()[0]).toMatchObject({
      level: 40,
      msg: expect.stringMatching(/could not keep the logs' storage in order/),
    });
    storage.line.accept();
    const seen = new Set<string>();
    const kept = async (): Promise<boolean> => {
      for (const dropped of await storage.direct.dropDaysBefore(day(3))) seen.add(dropped);
      return [day(-12), day(1)].every((wanted) => seen.has(wanted));
    };
    await expect.poll(kept, { timeout: 15_000 }).toBe(true);
  });
});
