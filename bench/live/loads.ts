import { whole } from "../support/table.ts";
import type { Values } from "./settings.ts";

/** Between a container's start and its first line, so that who follows has found it. */
export const START_SECONDS = 3;
const QUIET_SECONDS = 5;

/** What is printed: by each of the pods' containers so many lines, the next one a moment later. */
export interface Load {
  name: string;
  pods: number;
  containers: number;
  /** Of each container. */
  lines: number;
  /** For how long it prints. */
  seconds: number;
  /** Seconds after the first line whose lines do not count. */
  settle: number;
  command: string[];
}

export function loadsOf({ pods, rates, quiet, seconds, settle }: Values): Load[] {
  const even = rates.map((rate): Load => {
    const print = `exec lines -n ${rate * seconds} -rate ${rate} -size 128 -stderr 50`;
    return {
      name: `${pods} × ${whole(rate)} lines/s`,
      pods,
      containers: 1,
      lines: rate * seconds,
      seconds,
      settle,
      command: ["sh", "-c", `sleep ${START_SECONDS}; ${print}`],
    };
  });
  if (quiet === 0) return even;
  // Peers ask the API server for one stream after the other, for so many for a long time.
  const period = { seconds: seconds * 3, settle: Math.ceil(seconds * 1.5) };
  const lines = Math.ceil(period.seconds / QUIET_SECONDS);
  const loop = `n=0; while [ $n -lt ${lines} ]; do lines -n 1 -size 128; n=$((n+1)); sleep ${QUIET_SECONDS}; done`;
  const containers = Math.ceil(quiet / pods);
  const name = `${pods * containers} streams, a line in ${QUIET_SECONDS} s`;
  return [
    ...even,
    { name, pods, containers, lines, ...period, command: ["sh", "-c", `sleep ${START_SECONDS}; ${loop}`] },
  ];
}
