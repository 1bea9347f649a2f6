import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { asked, serve } from "./support/serve.ts";
import { never, sendStatus } from "./support/server.ts";

describe("readPodLog", () => {
  interface Recorded {
    id: string;
    status: number;
    contentType: string | null;
    body: string;
  }
  const recorded = readFileSync(new URL("fixtures/log-api.jsonl", import.meta.url), "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Recorded);
  const request = { pod: "p", container: "c", tailLines: 7, maxBytes: 100_000 };

  test.each(recorded)("$id ($status) comes back as it was answered", async ({ status, contentType, body }) => {
    const { server, cluster } = await serve((_, response) => {
      response.writeHead(status, contentType === null ? {} : { "content-type": contentType });
      response.end(status === 204 ? undefined : body);
    });
    const answer = await cluster.readPodLog(request, never());
    expect(answer).toMatchObject({ status, contentType: contentType ?? undefined, cut: false });
    expect(Buffer.from(answer.body).toString()).toBe(body ?? "");
    expect(asked(server)).toEqual(["GET /api/v1/namespaces/ns/pods/p/log"]);
    expect(Object.fromEntries(server.requests[0]!.query)).toEqual({
      container: "c",
      timestamps: "true",
      tailLines: "7",
    });
  });

  test.each([401, 429, 500, 503])("%d is an answer too", async (status) => {
    const { cluster } = await serve((_, response) => sendStatus(response, status, "Reason", "words"));
    const answer = await cluster.readPodLog(request, never());
    expect(answer).toMatchObject({ status, contentType: "application/json" });
    expect(JSON.parse(Buffer.from(answer.body).toString())).toMatchObject({ message: "words" });
  });

  test("only the newest bytes are kept", async () => {
    const { cluster } = await serve((_, response) => {
      response.writeHead(200, { "content-type": "text/plain" });
      for (let n = 0; n < 1000; n += 1) response.write(`line ${n}\n`);
      response.end();
    });
    const answer = await cluster.readPodLog({ ...request, maxBytes: 20 }, never());
    expect(answer.cut).toBe(true);
    expect(Buffer.from(answer.body).toString()).toBe("line 997\nline 998\nline 999\n".slice(-20));
  });

  test("a log that is cut or late is no answer", async () => {
    const cut = await serve(
      (_, response) => void response.writeHead(200).write("2026", () => response.socket!.destroy()),
    );
    await expect(cut.cluster.readPodLog(request, never())).rejects.toMatchObject({ code: "network" });
    const late = await serve((_, response) => void response.writeHead(200).write("2026"), 50);
    await expect(late.cluster.readPodLog(request, never())).rejects.toMatchObject({ code: "timeout" });
  });
});
