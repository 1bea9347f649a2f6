import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { keepContact, takeOverUntil, type Contact } from "../src/supervisor/contact.ts";

const LEASE = 6000;

/** What a server may do that reads the database's clock at these times. */
function after(...clocks: number[]): number | null {
  const contact = clocks.reduce<Contact | null>((last, clock) => keepContact(last, clock, LEASE), null);
  return takeOverUntil(contact!, LEASE)?.getTime() ?? null;
}

describe("contact with the database", () => {
  test("of half a lease lets a server take over, for as long as no lease runs out by an outage", () => {
    expect(after(0)).toBeNull();
    expect(after(0, 1000, 2000)).toBeNull();
    expect(after(0, 1000, 2000, 3000)).toBe(7000);
  });

  test("begins anew after an outage in which leases may have run out", () => {
    expect(after(0, 3000, 7000)).toBe(11_000);
    expect(after(0, 3000, 7001)).toBeNull();
    expect(after(0, 3000, 7001, 10_000)).toBeNull();
    expect(after(0, 3000, 7001, 10_001)).toBe(14_001);
  });

  test("never allows a takeover within half a lease after a break", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 2 * LEASE }), { minLength: 1 }), (pauses) => {
        let clock = 0;
        let contact = keepContact(null, clock, LEASE);
        let back = 0;
        for (const pause of pauses) {
          clock += pause;
          if (pause > (LEASE * 2) / 3) back = clock;
          contact = keepContact(contact, clock, LEASE);
          expect(takeOverUntil(contact, LEASE) !== null).toBe(clock - back >= LEASE / 2);
        }
      }),
    );
  });
});
