import type { LogStream } from "@tailrace/core";

/** A stream of ten lines, as the store lists it. */
export function logStream(change: Partial<LogStream>): LogStream {
  return {
    id: 1,
    day: "2026-11-24",
    ordinal: 0,
    stepId: "step-1",
    pod: "k6-checkout-1-aaaaa",
    container: "k6",
    restart: 0,
    role: "runner",
    runner: 1,
    named: false,
    source: "node",
    lines: 10,
    bytes: 100,
    gaps: 0,
    sealed: true,
    verified: "full",
    verifiedBy: "node",
    sha256: null,
    counts: { unglued: 0, headRests: 0, malformed: 0 },
    unjoined: 0,
    truncated: null,
    expired: false,
    ...change,
  };
}
