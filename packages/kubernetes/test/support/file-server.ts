import type { ServerResponse } from "node:http";
import type { Received } from "./server.ts";

/** Files by their path below `/logs/`. */
export type Files = Map<string, Buffer>;

/** Answers as the kubelet's file server does (Go, `net/http.FileServer`): a folder's listing, ranges, 416. */
export function serveFile(files: Files, { path, headers }: Received, response: ServerResponse): void {
  const name = decodeURIComponent(path.replace(/^.*\/logs\//, ""));
  if (name.endsWith("/")) return list(files, name, response);
  const file = files.get(name);
  if (file === undefined) return void response.writeHead(404).end("404 page not found\n");
  const range = /^bytes=(\d+)-(\d*)$/.exec(headers.range ?? "");
  if (range === null || file.length === 0)
    return void response.writeHead(200, { "content-length": file.length }).end(file);
  const start = Number(range[1]);
  if (start >= file.length)
    return void response.writeHead(416, { "content-range": `bytes */${file.length}` }).end("invalid range\n");
  const end = range[2] === "" ? file.length : Math.min(Number(range[2]) + 1, file.length);
  response
    .writeHead(206, { "content-range": `bytes ${start}-${end - 1}/${file.length}`, "content-length": end - start })
    .end(file.subarray(start, end));
}

function list(files: Files, folder: string, response: ServerResponse): void {
  const names = Array.from(files.keys()).filter((name) => name.startsWith(folder));
  if (names.length === 0) return void response.writeHead(404).end("404 page not found\n");
  const links = names.map((name) => name.slice(folder.length)).map((name) => `<a href="${name}">${name}</a>\n`);
  response.writeHead(200, { "content-type": "text/html" }).end(`<pre>\n${links.join("")}</pre>\n`);
}
