import type { Run, TailraceClient } from "@tailrace/client";
import { expect } from "vitest";
import { checkNumbered, type NumberedText } from "./numbered.ts";
import { ended, untilRun } from "./runs.ts";
import type { ServerProcess } from "./server.ts";

/** What the check of numbered lines must say of streams from which nothing is missing. */
export function wholeReport(streams: number, lines: number) {
  return {
    streams,
    lines: streams * lines,
    lost: 0,
    unflagged: 0,
    doubled: 0,
    reordered: 0,
    gaps: [],
    truncated: [],
  };
}

/** Waits until a run of two runners has finished, and checks that every line of both is there, once, in order. */
export async function expectWhole(
  server: Pick<ServerProcess, "url" | "client">,
  run: Run,
  lines: number,
  text?: NumberedText,
): Promise<void> {
  const end = await untilEnd(server.client, run);
  expect(end).toMatchObject({ status: "finished", error: null });
  expect(await checkNumbered(server.url, run.id, lines, text)).toMatchObject(wholeReport(2, lines));
}

export function untilEnd(client: TailraceClient, run: Run): Promise<Run> {
  return untilRun(() => client, run, "the end", ended, 90_000);
}
