import { ClusterError } from "@tailrace/core";
import type { GetRequest } from "./get.ts";

const PATH = /^\/[\x21-\x7e]*$/;
const NAME = /^[A-Za-z0-9-]+$/;
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

/**
 * A GET as it goes over the wire, in latin1.
 *
 * @param authority - host and port for the `Host` header
 * @throws ClusterError `invalid` when a part would end its line: nobody's path or token may become a header
 */
export function requestHead(authority: string, { path, headers }: GetRequest): string {
  if (!PATH.test(path)) throw new ClusterError("invalid", "the request's path is malformed");
  const all = { host: authority, "user-agent": "tailrace", accept: "*/*", "accept-encoding": "identity", ...headers };
  let text = `GET ${path} HTTP/1.1\r\n`;
  for (const [name, value] of Object.entries(all)) {
    if (!NAME.test(name) || !VALUE.test(value))
      throw new ClusterError("invalid", `the request's header ${name} is malformed`);
    text += `${name}: ${value}\r\n`;
  }
  return `${text}\r\n`;
}
