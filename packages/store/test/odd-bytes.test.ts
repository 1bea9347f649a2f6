import { readFile } from "node:fs/promises";
import { formatContainerLogs, parseContainerLogs, readPodLogAnswer, type ContainerSection } from "@tailrace/core";
import { expect, test } from "vitest";
import { createRun, makeTeam, newRun, query, sharedStore } from "./support.ts";

const fixture = sharedStore();

test("what containers print, also bytes that are no text, is stored as the snapshot that was made of it", async () => {
  const { store, url } = fixture;
  const sections: ContainerSection[] = [];
  for (const [index, file] of ["odd-bytes-1-n8zmc_k6.log", "odd-bytes-raw-1-sfcw2_k6.log"].entries()) {
    const body = await readFile(new URL(`fixtures/odd-bytes/${file}`, import.meta.url));
    const read = readPodLogAnswer({ status: 200, contentType: "text/plain", body, cut: false }, 1000);
    if (read.kind !== "log") throw new Error(read.kind);
    sections.push({ pod: `odd-${index}`, container: null, restart: 0, state: "log", reason: null, lines: read.lines });
  }
  const containerLogs = formatContainerLogs(sections);
  const team = await makeTeam(store);
  const run = await createRun(store, newRun(team));
  const [step] = await store.claimSteps({ holder: "a", namespace: "k6", ttlMs: 60_000, limit: 1 });
  await store.writeStep(step!.id, step!.fence, { containerLogs });

  const stored = (await store.getRun(team, run.id))?.steps[0]?.containerLogs;
  expect(stored).toBe(containerLogs);
  expect(parseContainerLogs(stored!)).toEqual(sections);
  expect(stored).toContain("\u2400");
  expect(stored).toContain("\ufffd");
  expect(await query(url, "select octet_length(container_logs) as bytes from test_run_steps")).toEqual([
    { bytes: Buffer.byteLength(containerLogs) },
  ]);
});
