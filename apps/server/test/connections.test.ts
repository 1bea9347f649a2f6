import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import { connect, type AddressInfo, type Socket } from "node:net";
import { expect, test, vi } from "vitest";
import { trackConnections } from "../src/http/connections.ts";

const REQUEST = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

test("closes connections without a request and behind one, and lets one that is under way be answered", async () => {
  const held: ServerResponse[] = [];
  await using server = createServer((_, response) => {
    if (held.push(response) > 1) response.end("at once");
  });
  const closeUnused = trackConnections(server);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const open = async (): Promise<Socket> => {
    const socket = connect((server.address() as AddressInfo).port, "127.0.0.1");
    const accepted = once(server, "connection");
    await Promise.all([once(socket, "connect"), accepted]);
    return socket;
  };

  const busy = await open();
  busy.write(REQUEST);
  await once(server, "request");
  const answered = await open();
  answered.write(REQUEST);
  await once(answered, "data");
  await vi.waitFor(() => expect(held[1]!.closed).toBe(true));
  const silent = await open();

  const ends = Promise.all([answered, silent].map((socket) => once(socket.resume(), "close")));
  closeUnused();
  await ends;
  held[0]!.end("in the end");
  const [data] = (await once(busy, "data")) as [Buffer];
  expect(data.toString()).toContain("in the end");
  const end = once(busy.resume(), "close");
  await vi.waitFor(() => expect(held[0]!.closed).toBe(true));
  closeUnused();
  await end;
});
