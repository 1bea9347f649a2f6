import { readdirSync, readFileSync } from "node:fs";
import {
  readPodLogAnswer,
  type ContainerSection,
  type JobObject,
  type Observation,
  type PodObject,
  type TestRunObject,
} from "../src/index.ts";

/** One event of a raw watch, as it was received. */
export type RecordedEvent = { at: string; type: "ADDED" | "MODIFIED" | "DELETED" } & (
  | { kind: "testruns"; object: TestRunObject }
  | { kind: "jobs"; object: JobObject }
  | { kind: "pods"; object: PodObject }
);

export interface RecordedCase {
  case: string;
  shows: string;
  initializerLog: { pod: string; body: string } | null;
  events: RecordedEvent[];
}

const folder = new URL("fixtures/cases/", import.meta.url);

export function caseNames(): string[] {
  return readdirSync(folder).map((file) => file.replace(/\.json$/, ""));
}

export function loadCase(name: string): RecordedCase {
  return JSON.parse(readFileSync(new URL(`${name}.json`, folder), "utf8")) as RecordedCase;
}

/** What a watcher knows after each event. */
export function* states(recorded: RecordedCase): Generator<{ at: number; observation: Observation }> {
  const known = {
    testruns: new Map<string, TestRunObject>(),
    jobs: new Map<string, JobObject>(),
    pods: new Map<string, PodObject>(),
  };
  for (const event of recorded.events) {
    const objects: Map<string, TestRunObject | JobObject | PodObject> = known[event.kind];
    if (event.type === "DELETED") objects.delete(event.object.metadata.uid);
    else objects.set(event.object.metadata.uid, event.object);
    const observation = {
      testRun: [...known.testruns.values()][0] ?? null,
      jobs: [...known.jobs.values()],
      pods: [...known.pods.values()],
    };
    yield { at: Date.parse(event.at), observation };
  }
}

export function finalState(recorded: RecordedCase): Observation {
  return [...states(recorded)].at(-1)!.observation;
}

/** The initializer's section as a snapshot would hold it. */
export function initializerSections(recorded: RecordedCase): ContainerSection[] {
  if (recorded.initializerLog === null) return [];
  const body = new TextEncoder().encode(recorded.initializerLog.body);
  const read = readPodLogAnswer({ status: 200, contentType: "text/plain", body, cut: false }, 1000);
  if (read.kind !== "log") throw new Error(`the recorded initializer log of ${recorded.case} reads as ${read.kind}`);
  return [
    { pod: recorded.initializerLog.pod, container: null, restart: 0, state: "log", reason: null, lines: read.lines },
  ];
}
