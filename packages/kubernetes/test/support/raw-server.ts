import net from "node:net";
import tls from "node:tls";

/** A server that speaks bytes as the test says. */
export interface RawServer extends AsyncDisposable {
  port: number;
  /** Connections accepted so far; of TLS, those whose handshake was begun. */
  connections: number;
  /** Requests received so far, as text up to the empty line. */
  requests: string[];
  /** Answers a request; `nth` counts those of the connection from 0. */
  answer: (socket: net.Socket, request: string, nth: number) => void;
  /** Breaks the connection under a socket. */
  reset(socket: net.Socket): void;
}

export async function startRawServer(answer: RawServer["answer"], options?: tls.TlsOptions): Promise<RawServer> {
  /** By the port of the client. */
  const sockets = new Map<number, net.Socket>();
  const server = options === undefined ? net.createServer() : tls.createServer(options);
  const state: RawServer = {
    port: 0,
    connections: 0,
    requests: [],
    answer,
    reset: (socket) => sockets.get(socket.remotePort!)!.resetAndDestroy(),
    async [Symbol.asyncDispose]() {
      for (const socket of sockets.values()) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  server.on("connection", (socket: net.Socket) => {
    state.connections += 1;
    const port = socket.remotePort!;
    sockets.set(port, socket);
    socket.on("close", () => sockets.delete(port));
    socket.on("error", () => socket.destroy());
  });
  server.on(options === undefined ? "connection" : "secureConnection", (socket: net.Socket) => {
    let received = "";
    let nth = 0;
    socket.on("error", () => socket.destroy());
    socket.setEncoding("latin1").on("data", (text: string) => {
      received += text;
      for (let end = received.indexOf("\r\n\r\n"); end !== -1; end = received.indexOf("\r\n\r\n")) {
        const request = received.slice(0, end);
        received = received.slice(end + 4);
        state.requests.push(request);
        state.answer(socket, request, nth);
        nth += 1;
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  state.port = (server.address() as net.AddressInfo).port;
  return state;
}

/** A whole answer with a length. */
export function plainAnswer(body: string | Buffer, status = "200 OK"): Buffer {
  const bytes = Buffer.from(body);
  return Buffer.concat([Buffer.from(`HTTP/1.1 ${status}\r\nContent-Length: ${bytes.length}\r\n\r\n`), bytes]);
}

/** A whole answer in chunks. */
export function chunkedAnswer(chunks: readonly (string | Buffer)[]): Buffer {
  const parts = chunks.map((chunk) => {
    const bytes = Buffer.from(chunk);
    return Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from("\r\n")]);
  });
  const head = Buffer.from("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
  return Buffer.concat([head, ...parts, Buffer.from("0\r\n\r\n")]);
}
