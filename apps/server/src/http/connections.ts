import type { Server } from "node:http";
import type { Socket } from "node:net";

/**
 * Watches on which connections a request is under way. Node's `closeIdleConnections` leaves those open on which none ever
 * came: clients open one in advance where they have given up a request.
 *
 * @returns closes all other connections
 */
export function trackConnections(server: Server): () => void {
  const requests = new Map<Socket, number>();
  const count = (socket: Socket, change: number): void => {
    const before = requests.get(socket);
    if (before !== undefined) requests.set(socket, before + change);
  };
  server.on("connection", (socket: Socket) => {
    requests.set(socket, 0);
    socket.once("close", () => requests.delete(socket));
  });
  server.on("request", ({ socket }, response) => {
    count(socket, 1);
    response.once("close", () => count(socket, -1));
  });
  return () => {
    for (const [socket, underWay] of requests) if (underWay === 0) socket.destroy();
  };
}
