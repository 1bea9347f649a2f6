/** A moment as whole seconds since the epoch and the nanoseconds within the second. */
export interface Instant {
  seconds: number;
  nanos: number;
}

const BILLION = 1_000_000_000n;

/** Nanoseconds since the epoch. */
export function toNanos(seconds: number, nanos: number): bigint {
  return BigInt(seconds) * BILLION + BigInt(nanos);
}

export function fromNanos(nanos: bigint): Instant {
  const rest = ((nanos % BILLION) + BILLION) % BILLION;
  return { seconds: Number((nanos - rest) / BILLION), nanos: Number(rest) };
}

/** RFC 3339 in UTC with nine fraction digits, as the kubelet prints it. */
export function formatInstant(nanos: bigint): string {
  const { seconds, nanos: rest } = fromNanos(nanos);
  return `${new Date(seconds * 1000).toISOString().slice(0, 19)}.${String(rest).padStart(9, "0")}Z`;
}

/** Reads RFC 3339 with up to nine fraction digits and any offset; null for anything else. */
export function parseInstant(text: string): bigint | null {
  const match = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)$/.exec(text);
  if (match === null) return null;
  const ms = Date.parse(`${match[1]}${match[3]}`);
  if (Number.isNaN(ms)) return null;
  return toNanos(ms / 1000, Number((match[2] ?? "").padEnd(9, "0")));
}
