import { type Server, type Socket, connect, createServer } from "node:net";
import { once } from "node:events";

/** A way to a server that can be cut and opened again, on one port. */
export interface Proxy extends AsyncDisposable {
  /** The target's URL, by way of the proxy. */
  url: string;
  cut(): Promise<void>;
  open(): Promise<void>;
}

export async function openProxy(target: string): Promise<Proxy> {
  const url = new URL(target);
  const to = { host: url.hostname, port: Number(url.port) };
  let port = 0;
  const sockets = new Set<Socket>();
  let server: Server | undefined;
  const open = async (): Promise<void> => {
    server = createServer((inner) => {
      const outer = connect(to);
      for (const [from, into] of [
        [inner, outer],
        [outer, inner],
      ] as const) {
        sockets.add(from);
        from.on("error", () => into.destroy());
        from.on("close", () => void sockets.delete(from));
        from.pipe(into);
      }
    });
    server.listen(port, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    if (address === null || typeof address === "string") throw new Error("the proxy has no port");
    port = address.port;
  };
  const cut = async (): Promise<void> => {
    if (server === undefined) return;
    const closed = once(server, "close");
    server.close();
    for (const socket of sockets) socket.destroy();
    await closed;
    server = undefined;
  };
  await open();
  url.host = `127.0.0.1:${port}`;
  return { url: url.href, cut, open, [Symbol.asyncDispose]: cut };
}
