import { concat, utf8 } from "./bytes.ts";

/** What the container runtime writes into a log file at once (Kubernetes, CRI logging format). */
export interface Entry {
  stderr: boolean;
  /** The line goes on in a later entry of the same standard stream. */
  partial: boolean;
  /** Nanoseconds since the epoch. */
  time: bigint;
  text: Uint8Array;
  /** The number of the file in which it is. */
  file: number;
}

/** The runtime's clock, and the kubelet's, run in this zone: minutes east of UTC. */
export type Zone = number;

const BILLION = 1_000_000_000n;

/** The entry as bytes of the file: Go's RFC3339Nano leaves out the zeros at the fraction's end. */
export function criBytes({ time, stderr, partial, text }: Entry, zone: Zone): Uint8Array {
  const { second, fraction, offset } = parts(time, zone);
  const shortened = fraction.replace(/0+$/, "");
  const stamp = `${second}${shortened === "" ? "" : `.${shortened}`}${offset}`;
  return concat([utf8(`${stamp} ${stderr ? "stderr" : "stdout"} ${partial ? "P" : "F"} `), text, utf8("\n")]);
}

/** The time as the kubelet prints it: always nine digits (cri-client, RFC3339NanoFixed). */
export function apiStamp(time: bigint, zone: Zone): string {
  const { second, fraction, offset } = parts(time, zone);
  return `${second}.${fraction}${offset}`;
}

function parts(time: bigint, zone: Zone): { second: string; fraction: string; offset: string } {
  const local = Number(time / BILLION) + zone * 60;
  const minutes = Math.abs(zone);
  const digits = (value: number): string => String(value).padStart(2, "0");
  return {
    second: new Date(local * 1000).toISOString().slice(0, 19),
    fraction: String(time % BILLION).padStart(9, "0"),
    offset: zone === 0 ? "Z" : `${zone < 0 ? "-" : "+"}${digits(Math.floor(minutes / 60))}:${digits(minutes % 60)}`,
  };
}
