/** Gives the time of a record: RFC 3339 in UTC with nine fraction digits, as {@link LogRecord.time}. */
export type Clock = () => string;

let second = Number.NaN;
let secondText = "";

/** The wall clock with the fraction of the monotonic one. */
export function preciseNow(): string {
  const ms = performance.timeOrigin + performance.now();
  const now = Math.floor(ms / 1000);
  if (now !== second) {
    second = now;
    secondText = new Date(now * 1000).toISOString().slice(0, 20);
  }
  return `${secondText}${String(Math.floor((ms - now * 1000) * 1_000_000)).padStart(9, "0")}Z`;
}
