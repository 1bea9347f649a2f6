import { expect, test } from "vitest";
import { Credentials } from "../src/credentials.ts";
import { getOverTransport } from "../src/http/transport-get.ts";
import { Transport } from "../src/transport.ts";
import { kubeConfigFor, never, startServer } from "./support/server.ts";
import { until } from "./support/until.ts";

test("an answer whose head is not wanted is closed", async () => {
  let closed = false;
  await using server = await startServer((_request, response) => {
    response.on("close", () => (closed = true));
    response.write("an answer that does not end");
  });
  const transport = new Transport(new Credentials(kubeConfigFor(server.url)), 5000);
  const mine = new Error("mine");
  const onHead = (): never => {
    throw mine;
  };
  const limits = { signal: never(), headMs: 5000, silenceMs: 5000 };
  const request = { path: "/", headers: { range: "bytes=0-" } };
  await expect(getOverTransport(transport, request, onHead, limits)).rejects.toBe(mine);
  await until(() => closed);
  expect(server.requests[0]!.headers).toMatchObject({ range: "bytes=0-", authorization: "Bearer secret" });
  transport.close();
});
