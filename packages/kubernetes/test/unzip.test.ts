import { setImmediate as turn } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import type { Flow } from "@tailrace/core";
import { describe, expect, test } from "vitest";
import { Unzip } from "../src/node-logs/unzip.ts";

const idle: Flow = { resume: () => undefined, stop: () => undefined };

describe("Unzip", () => {
  test.each(["stopped by its taker", "failed from outside"])(
    "ends when it is %s after everything that is zipped has come",
    async (how) => {
      const paused = Promise.withResolvers<Flow>();
      const unzip = new Unzip("a log", (_, flow) => {
        paused.resolve(flow);
        return false;
      });
      // Far more than may wait between the two ends, and few bytes when zipped.
      unzip.take(gzipSync(Buffer.alloc(10_000_000)), idle);
      unzip.end();
      const flow = await paused.promise;
      // The end that is zipped is done with, and closes in its own time.
      for (let turns = 0; turns < 20; turns += 1) await turn();
      if (how === "stopped by its taker") flow.stop();
      else unzip.fail(new Error("the reading was aborted"));
      await expect(unzip.ended).rejects.toThrow(/the reading was/);
    },
  );
});
