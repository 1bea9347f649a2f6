import http from "node:http";
import { createServer } from "node:net";
import type { Children, Command } from "./children.ts";
import type { ContainerProcess, Output, RestAnswer, RestRequest } from "./process.ts";

const REST_ADDRESS = "--address=0.0.0.0:6565";

/** Whether a container is a k6 that serves its REST API. */
export function servesRest(argv: readonly string[]): boolean {
  return argv[0] === "k6" && argv[1] === "run" && argv.includes(REST_ADDRESS);
}

/** k6 with its REST API on a free port of the loopback interface, since all runners share this machine's ports. */
export async function startK6(children: Children, command: Command, output: Output): Promise<ContainerProcess> {
  const port = await freePort();
  const argv = command.argv.map((token) => (token === REST_ADDRESS ? `--address=127.0.0.1:${port}` : token));
  const child = children.start({ ...command, argv: argv as [string, ...string[]] }, output);
  return { ...child, request: (request) => forward(port, request) };
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
    });
  });
}

function forward(port: number, { method, path, body, contentType }: RestRequest): Promise<RestAnswer> {
  return new Promise((resolve, reject) => {
    const headers = {
      "content-length": Buffer.byteLength(body),
      ...(contentType === undefined ? {} : { "content-type": contentType }),
    };
    const request = http.request({ host: "127.0.0.1", port, method, path, headers, agent: false, timeout: 10_000 });
    request.on("timeout", () => request.destroy(new Error("i/o timeout")));
    request.on("error", reject);
    request.on("response", (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () =>
        resolve({
          status: response.statusCode ?? 502,
          contentType: response.headers["content-type"],
          body: Buffer.concat(chunks).toString("utf8"),
        }),
      );
    });
    request.end(body);
  });
}
