import net, { type AddressInfo, type Socket } from "node:net";

/** Stands between a client and a server on 127.0.0.1. */
export interface TcpProxy extends AsyncDisposable {
  port: number;
  /** Nothing goes through any more, in either direction, and nobody is told. */
  stall(): void;
  /** Everything that was held back goes through. */
  resume(): void;
  /** Resets all connections and refuses new ones. */
  refuse(): void;
  /** Takes connections again. */
  accept(): void;
}

export async function openTcpProxy(targetPort: number): Promise<TcpProxy> {
  const pairs = new Set<[Socket, Socket]>();
  let stalled = false;
  let refusing = false;
  const server = net.createServer((client) => {
    if (refusing) return void client.resetAndDestroy();
    const target = net.connect(targetPort, "127.0.0.1");
    const pair: [Socket, Socket] = [client, target];
    pairs.add(pair);
    for (const [from, to] of [pair, [target, client] as const]) {
      from.on("data", (bytes) => void to.write(bytes));
      from.on("error", () => undefined);
      from.on("close", () => {
        to.destroy();
        pairs.delete(pair);
      });
      if (stalled) from.pause();
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const each = (act: (socket: Socket) => void): void => {
    for (const pair of pairs) pair.forEach(act);
  };
  return {
    port: (server.address() as AddressInfo).port,
    stall() {
      stalled = true;
      each((socket) => socket.pause());
    },
    resume() {
      stalled = false;
      each((socket) => socket.resume());
    },
    refuse() {
      refusing = true;
      each((socket) => socket.resetAndDestroy());
    },
    accept() {
      refusing = false;
    },
    async [Symbol.asyncDispose]() {
      const closed = new Promise((resolve) => server.close(resolve));
      each((socket) => socket.destroy());
      await closed;
    },
  };
}
