import type { Server } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import type { Listener } from "../faults.ts";

/** A port of 127.0.0.1 that can be closed and opened again, with the connections to it. */
export class HttpListener implements Listener {
  readonly #create: () => Server;
  /** By the client's port: what a request knows of a TLS connection is not the socket that can be reset. */
  readonly #sockets = new Map<number, Socket>();
  #server: Server | undefined;
  #port = 0;

  /** @param create - makes a server that does not listen yet */
  constructor(create: () => Server) {
    this.#create = create;
  }

  get port(): number {
    return this.#port;
  }

  get listening(): boolean {
    return this.#server !== undefined;
  }

  /** On a free port at first, on the same one later. */
  async start(): Promise<void> {
    if (this.#server !== undefined) return;
    const server = this.#create();
    server.on("connection", (socket: Socket) => {
      const { remotePort } = socket;
      if (remotePort === undefined) return void socket.destroy();
      this.#sockets.set(remotePort, socket);
      socket.setNoDelay(true);
      socket.once("close", () => {
        if (this.#sockets.get(remotePort) === socket) this.#sockets.delete(remotePort);
      });
    });
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(this.#port, "127.0.0.1", resolve);
    });
    this.#port = (server.address() as AddressInfo).port;
    this.#server = server;
  }

  async stop(): Promise<void> {
    const server = this.#server;
    if (server === undefined) return;
    this.#server = undefined;
    const closed = new Promise((resolve) => server.close(resolve));
    this.cut();
    await closed;
  }

  cut(): void {
    for (const socket of this.#sockets.values()) socket.resetAndDestroy();
  }

  /** Resets the connection that a request came by. */
  reset({ remotePort }: Socket): void {
    if (remotePort !== undefined) this.#sockets.get(remotePort)?.resetAndDestroy();
  }
}
