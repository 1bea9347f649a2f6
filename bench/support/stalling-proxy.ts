import net, { type AddressInfo, type Socket } from "node:net";

/** Stands between clients and a server on 127.0.0.1 whose port may change. */
export interface StallingProxy extends AsyncDisposable {
  port: number;
  /** Nothing goes through any more, in either direction, and nobody is told. */
  stall(): void;
  /** Everything that was held back goes through. */
  resume(): void;
}

/** @param target - the server's port, asked for each connection */
export async function openStallingProxy(target: () => number): Promise<StallingProxy> {
  const sockets = new Set<Socket>();
  let stalled = false;
  const join = (from: Socket, to: Socket): void => {
    sockets.add(from);
    from.on("data", (bytes) => {
      if (to.write(bytes)) return;
      from.pause();
      to.once("drain", () => stalled || from.resume());
    });
    from.on("error", () => undefined);
    from.on("close", () => {
      sockets.delete(from);
      to.destroy();
    });
    if (stalled) from.pause();
  };
  const server = net.createServer((client) => {
    const upstream = net.connect(target(), "127.0.0.1");
    join(client, upstream);
    join(upstream, client);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    stall() {
      stalled = true;
      for (const socket of sockets) socket.pause();
    },
    resume() {
      stalled = false;
      for (const socket of sockets) socket.resume();
    },
    async [Symbol.asyncDispose]() {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
