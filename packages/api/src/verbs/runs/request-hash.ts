import { createHash } from "node:crypto";
import type { z } from "zod";
import type { runsCreate } from "../../schemas/runs.ts";

/** Tells a repeated request from another one under the same key: SHA-256, in hex, of its fields in a fixed order. */
export function requestHash(input: z.output<typeof runsCreate>): string {
  const { idempotencyKey: _, ...request } = input;
  return createHash("sha256").update(canonicalJson(request)).digest("hex");
}

/** JSON with the keys of every object sorted, so that equal values give equal text. */
function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) =>
    typeof part === "object" && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );
}
