import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Exchange } from "../src/http/exchange.ts";
import { until } from "./support/until.ts";
import { chunkedAnswer, plainAnswer } from "./support/raw-server.ts";

/** A socket's tap that counts. */
class Tap {
  open = true;
  destroyed = false;
  pause(): void {
    this.open = false;
  }
  resume(): void {
    this.open = true;
  }
  destroy(): void {
    this.destroyed = true;
  }
}

type Step = "push" | "resume";

describe("an exchange", () => {
  const how = fc.constantFrom("length", "chunked", "close" as const);
  const parts = fc.array(fc.uint8Array({ minLength: 1, maxLength: 40 }), { minLength: 1, maxLength: 10 });

  test("gives everything in its order, however it is paused and whatever comes meanwhile", async () => {
    const property = fc.asyncProperty(
      parts,
      how,
      fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 30 }),
      fc.infiniteStream(fc.boolean()),
      fc.infiniteStream(fc.constantFrom<Step>("push", "push", "resume")),
      fc.constantFrom("end", "error" as const),
      async (contents, framing, sizes, wants, steps, ending) => {
        const body = Buffer.concat(contents);
        const wire = {
          length: plainAnswer(body),
          chunked: chunkedAnswer(contents.map((content) => Buffer.from(content))),
          close: Buffer.concat([Buffer.from("HTTP/1.1 200 OK\r\n\r\n"), body]),
        }[framing];
        const tap = new Tap();
        const taken: Buffer[] = [];
        const exchange = new Exchange(
          () => (bytes) => {
            taken.push(Buffer.from(bytes));
            return wants.next().value;
          },
          tap,
        );
        let outcome: string | undefined;
        void exchange.ended.then(
          () => (outcome = "whole"),
          () => (outcome = "cut"),
        );
        // One buffer, as the socket has it.
        const buffer = Buffer.alloc(30);
        for (let at = 0, n = 0; at < wire.length;) {
          if (steps.next().value === "resume") exchange.resume();
          else {
            const size = wire.copy(buffer, 0, at, at + sizes[n % sizes.length]!);
            expect(exchange.push(buffer.subarray(0, size))).toBe(tap.open || exchange.reusable);
            buffer.fill(0xff);
            at += size;
            n += 1;
          }
        }
        if (ending === "end") exchange.close();
        else exchange.broken(Object.assign(new Error("read ECONNRESET"), { code: "ECONNRESET" }));
        await until(() => {
          exchange.resume();
          return outcome !== undefined;
        });
        expect(Buffer.concat(taken).equals(body)).toBe(true);
        const cut = framing === "close" && ending === "error";
        expect(outcome).toBe(cut ? "cut" : "whole");
        expect(tap.open || tap.destroyed || framing === "close").toBe(true);
      },
    );
    await fc.assert(property, { numRuns: 500 });
  });

  test("that was paused at its end leaves the socket open", async () => {
    const tap = new Tap();
    const exchange = new Exchange(() => () => false, tap);
    const answer = plainAnswer("abc");
    exchange.push(answer.subarray(0, -1));
    expect(tap.open).toBe(false);
    exchange.push(answer.subarray(-1));
    exchange.resume();
    await exchange.ended;
    expect(tap.open).toBe(true);
  });

  test("that has ended does nothing to the socket", async () => {
    const tap = new Tap();
    const exchange = new Exchange(() => () => false, tap);
    exchange.push(plainAnswer("abc").subarray(0, -1));
    exchange.stop();
    await expect(exchange.ended).rejects.toMatchObject({ reason: "stopped" });
    exchange.resume();
    expect(tap).toMatchObject({ open: false, destroyed: true });
  });
});
