import { type ContainerSection, parseContainerLogs } from "@tailrace/client";
import { containerTitle } from "@tailrace/core";
import { summarizeInitializer } from "./initializer.ts";
import { type ContainerLabel, labelContainer } from "./label.ts";
import { newLines } from "./new-lines.ts";
import { summarizeStarter } from "./starter.ts";

/** What is shown of one container. */
export type FollowEvent =
  | { kind: "lines"; label: ContainerLabel; lines: string[] }
  /** Lines before the next ones are, or for a first snapshot may be, in no snapshot that was seen. */
  | { kind: "missing"; label: ContainerLabel; certain: boolean; held: number }
  /** Why the container has no lines, or none at this moment. */
  | { kind: "notice"; label: ContainerLabel; text: string };

/** What was seen of a container so far. */
interface Seen {
  lines: readonly string[];
  /** Reasons that were told, each without its details, which change from read to read. */
  told: ReadonlySet<string>;
}

/** What was seen so far, by the container's title in the snapshot. */
export type FollowState = ReadonlyMap<string, Seen>;

export interface Snapshot {
  /** The TestRun's name. */
  testRun: string;
  parallelism: number;
  text: string;
  /** True when it is the last one. */
  ended: boolean;
}

/** How many lines of a container a server keeps by default. A first snapshot of that many may be a tail. */
const SNAPSHOT_LINES = 1000;

/** Every container waits for this when it starts. */
const ORDINARY_WAITING = new Set(["ContainerCreating", "PodInitializing", "not started yet"]);

/** Reads the next snapshot: what it adds to those before, container by container in their order. */
export function readSnapshot(
  state: FollowState,
  snapshot: Snapshot,
  options: { wholeReport: boolean },
): { state: FollowState; events: FollowEvent[] } {
  const next = new Map(state);
  const events: FollowEvent[] = [];
  for (const section of parseContainerLogs(snapshot.text)) {
    const title = containerTitle(section);
    const label = labelContainer(snapshot.testRun, snapshot.parallelism, section);
    const seen = state.get(title) ?? { lines: [], told: new Set() };
    const notice = noticeOf(section, seen);
    if (notice !== null) events.push({ kind: "notice", label, text: notice.text });
    const lines = options.wholeReport ? section.lines : shownLines(section, label, snapshot);
    events.push(...lineEvents(label, seen.lines, lines, section.state === "truncated"));
    next.set(title, {
      lines: lines.length === 0 ? seen.lines : lines,
      told: notice === null ? seen.told : new Set([...seen.told, notice.key]),
    });
  }
  return { state: next, events };
}

/** What initializer and starter say is for k6-operator; people get it in a line each. */
function shownLines(section: ContainerSection, label: ContainerLabel, snapshot: Snapshot): readonly string[] {
  if (label.role === "initializer" && isMain(section)) return summarizeInitializer(section.lines, snapshot.ended);
  if (label.role === "starter") return summarizeStarter(section.lines, snapshot.parallelism, snapshot.ended);
  return section.lines;
}

function lineEvents(
  label: ContainerLabel,
  earlier: readonly string[],
  later: readonly string[],
  truncated: boolean,
): FollowEvent[] {
  const { lines, missing } = newLines(earlier, later);
  if (lines.length === 0) return [];
  const certain = missing || (earlier.length === 0 && truncated);
  const possible = earlier.length === 0 && later.length >= SNAPSHOT_LINES;
  const gap: FollowEvent[] = certain || possible ? [{ kind: "missing", label, certain, held: later.length }] : [];
  return [...gap, { kind: "lines", label, lines }];
}

function noticeOf(section: ContainerSection, seen: Seen): { key: string; text: string } | null {
  const { state, reason } = section;
  if (reason === null || (state !== "waiting" && state !== "error")) return null;
  const key = `${state} ${reason.split(":")[0]}`;
  if (seen.told.has(key) || (state === "waiting" && ORDINARY_WAITING.has(reason.split(":")[0]!))) return null;
  return { key, text: state === "waiting" ? `waiting: ${reason}` : `can't be read now: ${reason}` };
}

/** The container that runs k6, which is named only in pods with several. */
function isMain(section: ContainerSection): boolean {
  return section.container === null || section.container === "k6";
}
