import { chance, type ProxyFault } from "../../e2e/support/fault-proxy.ts";
import type { LogSource } from "@tailrace/core";

/** What is done to servers, database and cluster while lines are written. */
export const EVENTS = [
  /** SIGKILL of every server, and a new one with the same data. */
  "kill",
  /** SIGKILL of the server that collects, while another one is there. */
  "kill-takeover",
  /** SIGTERM, and a new one behind it. */
  "term",
  /** SIGTERM of the server that collects, while another one is there. */
  "term-takeover",
  /** The lease is taken away from its holder, three times, while two servers want it. */
  "steal",
  /** PostgreSQL disconnects everybody, ends, and is started again. */
  "database-restart",
  /** PostgreSQL's processes are stopped at once, as in a crash, and it recovers. */
  "database-crash",
  /** Nothing gets to the database or back for a while. */
  "database-stall",
  /** The API server is away for a while. */
  "api-restart",
  /** The kubelet's port is closed for a while. */
  "kubelet-restart",
  /** Every connection to API server and kubelet is reset. */
  "cut",
  /** As `cut`, and the watches' history is forgotten. */
  "compact",
] as const;

export type EventKind = (typeof EVENTS)[number];

export interface PlannedEvent {
  kind: EventKind;
  /** When so many lines were written, of all streams together. */
  at: number;
  /** How long it lasts, where it lasts. */
  ms: number;
}

/** How a log is rotated. */
export const ROTATIONS = [
  /** Once everything before was stored: nothing can be lost. */
  "followed",
  /** While the container goes on writing and nobody waits. */
  "busy",
  /** In the middle of a line. */
  "split",
  /** As often as makes the oldest files go, with a few lines in each, faster than anybody can read. */
  "burst",
] as const;

export type RotationKind = (typeof ROTATIONS)[number];

export interface PlannedRotation {
  kind: RotationKind;
  /** Before this line. */
  n: number;
}

const SHARES: Record<RotationKind, number> = { followed: 0.6, busy: 0.2, split: 0.12, burst: 0.08 };

/** The events of one run in their order: each of the kinds in every round. The last one meets the sealing. */
export function planEvents(
  seed: number,
  { lines, rounds, kinds }: { lines: number; rounds: number; kinds: readonly EventKind[] },
): PlannedEvent[] {
  const random = chance(seed, "events");
  const planned = Array.from({ length: rounds }, () => shuffle(kinds, random)).flat();
  const step = lines / (planned.length + 1);
  return planned.map((kind, index) => ({
    kind,
    at: index === planned.length - 1 ? lines : Math.round(step * (index + 0.6 + 0.8 * random())),
    ms: Math.round(1000 + 2500 * random()),
  }));
}

/** The rotations of one stream, about one in so many lines. */
export function planRotations(seed: number, stream: number, lines: number, every: number): PlannedRotation[] {
  const random = chance(seed, "rotations", stream);
  const rotations: PlannedRotation[] = [];
  for (let n = 0; ;) {
    n += Math.round(every * (0.5 + random()));
    if (n >= lines) return rotations;
    rotations.push({ kind: pick(SHARES, random()), n });
  }
}

/** A request on its way to API server or kubelet. */
export interface ProxiedRequest {
  path: string;
  /** Counts the requests for the same thing. */
  nth: number;
}

/** What happens to one request. The names of pods differ from run to run, so `stream` stands for theirs. */
export function planFault(seed: number, stream: number | null, { path, nth }: ProxiedRequest): ProxyFault {
  const what = requestKind(path);
  const random = chance(seed, "request", what, stream ?? "", nth);
  const draw = random();
  const after = Math.round(10 ** (2 + 4.5 * random()));
  const ms = Math.round(500 + 2500 * random());
  const refusal: ProxyFault = { kind: "status", status: [500, 503, 429][Math.floor(random() * 3)]! };
  switch (what) {
    case "log":
      if (draw < 0.3) return { kind: "cut", after };
      if (draw < 0.5) return { kind: "end", after };
      if (draw < 0.58) return { kind: "stall", after, ms };
      if (draw < 0.63) return refusal;
      return draw < 0.66 ? { kind: "reset" } : { kind: "none" };
    case "file":
      if (draw < 0.08) return { kind: "cut", after };
      if (draw < 0.1) return { kind: "stall", after, ms };
      if (draw < 0.12) return refusal;
      return draw < 0.13 ? { kind: "reset" } : { kind: "none" };
    case "watch":
      return draw < 0.5 ? { kind: "cut", after } : { kind: "none" };
    case "other":
      if (draw < 0.05) return refusal;
      return draw < 0.07 ? { kind: "reset" } : { kind: "none" };
  }
}

/** What of a request's path does not change from run to run. */
export function requestKind(path: string): "log" | "file" | "watch" | "other" {
  if (/\/pods\/[^/]+\/log\?/.test(path)) return "log";
  if (path.startsWith("/logs/pods/")) return "file";
  return /[?&]watch=/.test(path) ? "watch" : "other";
}

/** Which stream a path or a pod's name is about, by scenario and runner; null for none of ours. */
export function streamOf(text: string): number | null {
  const [, run, runner] = /k6-chaos-(\d+)-[a-z0-9]+-(\d+)-[a-z0-9]{5}/.exec(text) ?? [];
  return run === undefined ? null : Number(run) * STREAMS_OF_A_RUN + Number(runner) - 1;
}

/** The most runners that a run may have. */
export const STREAMS_OF_A_RUN = 10;

/** Which kinds make sense for the source. */
export function eventKinds(source: LogSource): EventKind[] {
  return EVENTS.filter((kind) => source === "node" || kind !== "kubelet-restart");
}

function pick<Kind extends string>(shares: Record<Kind, number>, draw: number): Kind {
  let left = draw;
  for (const [kind, share] of Object.entries(shares) as [Kind, number][]) {
    if (left < share) return kind;
    left -= share;
  }
  return Object.keys(shares)[0] as Kind;
}

function shuffle<T>(items: readonly T[], random: () => number): T[] {
  const mixed = [...items];
  for (let left = mixed.length - 1; left > 0; left -= 1) {
    const at = Math.floor(random() * (left + 1));
    [mixed[left], mixed[at]] = [mixed[at]!, mixed[left]!];
  }
  return mixed;
}
