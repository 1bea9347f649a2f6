import type { CommitOutcome, StreamCommit, StreamRecord } from "@tailrace/core";
import fc from "fast-check";
import { expect, test } from "vitest";
import { openStore, type PostgresStore } from "../../src/index.ts";
import { id, quiet, sharedStore } from "../support.ts";
import {
  buildChunks,
  claimRun,
  countedLines,
  instance,
  NO_COUNTS,
  readAllTexts,
  storeAll,
  takeStep,
  texts,
  type TestLine,
} from "./support.ts";

const fixture = sharedStore();

/** What a holder does, one after the other: `repeat` is for a commit whose answer was lost. */
type Action = { kind: "claim" } | { kind: "open" } | { kind: "repeat" } | { kind: "commit"; lines: number };

interface Attempt {
  texts: string[];
  outcome: CommitOutcome;
}

/** Lines that name the fencing number under which they were written, and that nobody else writes. */
function ownLines(fence: number, count: number): TestLine[] {
  return countedLines(`${fence} ${id()}`, count);
}

async function toCommit(record: StreamRecord, lines: readonly TestLine[]): Promise<StreamCommit> {
  const chunks = await storeAll(buildChunks(lines, { nextSeq: record.nextSeq, linesPerChunk: 2 }));
  const { stepId, fence, nextSeq: firstSeq } = record;
  return { stream: record, stepId, fence, firstSeq, chunks, gaps: [], position: { source: "api" }, counts: NO_COUNTS };
}

/** A holder that knows nothing of the other one, nor that it has lost its lease. */
async function hold(store: PostgresStore, stepId: string, actions: readonly Action[]): Promise<Attempt[]> {
  const attempts: Attempt[] = [];
  let fence = 0;
  let record: StreamRecord | null = null;
  let nextSeq = 0;
  let last: { commit: StreamCommit; texts: string[] } | null = null;
  const attempt = async (commit: StreamCommit, own: string[]): Promise<CommitOutcome> => {
    const [outcome] = await store.commitLogs([commit]);
    attempts.push({ texts: own, outcome: outcome! });
    return outcome!;
  };
  for (const action of actions) {
    if (action.kind === "claim") fence = await takeStep(fixture, stepId);
    else if (action.kind === "open") {
      record = await store.openStream({ stepId, fence, instance: instance() });
      nextSeq = record?.nextSeq ?? 0;
    } else if (action.kind === "repeat") {
      if (last !== null) await attempt(last.commit, last.texts);
    } else if (record !== null) {
      const lines = ownLines(fence, action.lines);
      last = { commit: await toCommit({ ...record, nextSeq }, lines), texts: texts(lines) };
      if ((await attempt(last.commit, last.texts)) === "committed") nextSeq += action.lines;
    }
  }
  return attempts;
}

const action: fc.Arbitrary<Action> = fc.oneof(
  { weight: 1, arbitrary: fc.constant<Action>({ kind: "claim" }) },
  { weight: 2, arbitrary: fc.constant<Action>({ kind: "open" }) },
  { weight: 1, arbitrary: fc.constant<Action>({ kind: "repeat" }) },
  { weight: 6, arbitrary: fc.integer({ min: 1, max: 7 }).map((lines): Action => ({ kind: "commit", lines })) },
);
const begin: Action[] = [{ kind: "claim" }, { kind: "open" }];

test("two holders at the same time never interleave, and each commit is whole or not there", async () => {
  await using other = await openStore({ databaseUrl: fixture.url, log: quiet });
  await fc.assert(
    fc.asyncProperty(fc.array(action, { maxLength: 14 }), fc.array(action, { maxLength: 14 }), async (one, two) => {
      const { step } = await claimRun(fixture);
      const attempts = (
        await Promise.all([hold(fixture.store, step.id, [...begin, ...one]), hold(other, step.id, [...begin, ...two])])
      ).flat();
      const [record] = await fixture.store.listStreams(step.id);
      const stored = record === undefined ? [] : await readAllTexts(fixture.store, record);
      expect(stored).toHaveLength(record?.nextSeq ?? 0);
      expect(new Set(stored).size).toBe(stored.length);

      const fences = stored.map((text) => Number(text.split(" ")[0]));
      expect(fences).toEqual(fences.toSorted((a, b) => a - b));
      const written = new Set(attempts.filter(({ outcome }) => outcome === "committed").map((each) => each.texts[0]));
      for (const each of attempts) {
        const at = stored.indexOf(each.texts[0]!);
        if (written.has(each.texts[0])) expect(stored.slice(at, at + each.texts.length)).toEqual(each.texts);
        else expect(at).toBe(-1);
      }
      const claimed = attempts.filter(({ outcome }) => outcome === "committed");
      expect(new Set(claimed.flatMap((each) => each.texts)).size).toBe(stored.length);
    }),
    { numRuns: 60 },
  );
});
