import { open, readdir, stat, type FileHandle } from "node:fs/promises";
import { STATUS_CODES, type ServerResponse } from "node:http";
import { basename, join } from "node:path";
import { Body, type Exchange } from "../http/exchange.ts";
import { contentType, SNIFFED_BYTES } from "./content-type.ts";
import { escapeHtml, renderListing } from "./listing.ts";
import { parseRange } from "./range.ts";
import type { LogsRequest } from "./target.ts";

/** How an answer goes out: from the kubelet's own port, or through the API server's proxy. */
export interface Outlet {
  /** Added to every answer. */
  headers: Record<string, string>;
  /** Changes a page on its way. */
  page: (html: string) => string;
}

export const DIRECT: Outlet = { headers: {}, page: (html) => html };

/** Of a file, read at once. */
const BLOCK_BYTES = 256 * 1024;

const TEXT = "text/plain; charset=utf-8";

export function sendText(
  response: ServerResponse,
  outlet: Outlet,
  status: number,
  text: string,
  headers: Record<string, string> = {},
): void {
  head(response, outlet, status, {
    ...headers,
    "Content-Type": TEXT,
    "Content-Length": String(Buffer.byteLength(text)),
  });
  response.end(text);
}

/** An error of Go's net/http, as opposed to one of the kubelet's own. */
export function sendGoError(
  response: ServerResponse,
  outlet: Outlet,
  status: number,
  text: string,
  headers: Record<string, string> = {},
): void {
  sendText(response, outlet, status, `${text}\n`, { ...headers, "X-Content-Type-Options": "nosniff" });
}

/**
 * Go's `http.Redirect` with 307.
 *
 * @param prefix - put before the header's location, not the page's, by a proxy
 */
export function sendTemporaryRedirect(response: ServerResponse, outlet: Outlet, location: string, prefix = ""): void {
  const page = `<a href="${escapeHtml(location)}">${STATUS_CODES[307]}</a>.\n\n`;
  const headers = { "Content-Type": "text/html; charset=utf-8", Location: prefix + location };
  head(response, outlet, 307, { ...headers, "Content-Length": String(Buffer.byteLength(page)) });
  response.end(page);
}

/**
 * Answers a `GET` below `/logs/` as the kubelet does, whose answer is that of Go's `http.FileServer` for `/var/log`. A
 * file's bytes are those that it had when it was opened. `If-Range` and `If-Modified-Since` are not heeded.
 *
 * @param root - stands for `/var/log`
 */
export async function serveNodeLogs(
  root: string,
  request: LogsRequest,
  range: string | undefined,
  exchange: Exchange,
  outlet: Outlet,
): Promise<void> {
  const { response } = exchange;
  try {
    if (request.path === null) return sendGoError(response, outlet, 404, "404 page not found");
    const path = join(root, request.path);
    const found = await stat(path.replace(/\/$/, ""));
    if (found.isDirectory() !== request.slash) {
      const target = found.isDirectory() ? `${basename(path)}/` : `../${basename(path)}`;
      head(response, outlet, 301, { Location: target + request.query, "Content-Length": "0" });
      response.end();
    } else if (request.slash) await sendFolder(path, found.mtime, response, outlet);
    else await sendFile(path, range, exchange, outlet);
  } catch (error) {
    if (!isMissing(error) || response.headersSent) throw error;
    sendGoError(response, outlet, 404, "404 page not found");
  }
}

async function sendFolder(path: string, modified: Date, response: ServerResponse, outlet: Outlet): Promise<void> {
  const entries = await readdir(path, { withFileTypes: true });
  const names = entries.map((entry) => (entry.isDirectory() ? `${entry.name}/` : entry.name));
  const page = outlet.page(renderListing(names));
  head(response, outlet, 200, {
    "Content-Type": "text/html; charset=utf-8",
    "Last-Modified": modified.toUTCString(),
    "Content-Length": String(Buffer.byteLength(page)),
  });
  response.end(page);
}

async function sendFile(path: string, range: string | undefined, exchange: Exchange, outlet: Outlet): Promise<void> {
  const { response } = exchange;
  const { endAfter = Infinity, ...fault } = exchange.fault ?? {};
  await using file = await open(path, "r");
  const { size: whole, mtime } = await file.stat();
  const size = shortened(range, whole, endAfter);
  const asked = parseRange(range, size);
  if (asked.kind === "invalid") return sendGoError(response, outlet, 416, "invalid range");
  if (asked.kind === "beyond") {
    const headers = { "Content-Range": `bytes */${size}` };
    return sendGoError(response, outlet, 416, "invalid range: failed to overlap", headers);
  }
  const { start, length } = asked.kind === "part" ? asked : { start: 0, length: size };
  head(response, outlet, asked.kind === "part" ? 206 : 200, {
    "Accept-Ranges": "bytes",
    "Content-Length": String(length),
    ...(asked.kind === "part" ? { "Content-Range": `bytes ${start}-${start + length - 1}/${size}` } : {}),
    "Content-Type": contentType(path, await readAt(file, 0, Math.min(size, SNIFFED_BYTES))),
    "Last-Modified": mtime.toUTCString(),
  });
  const body = new Body({ ...exchange, fault });
  const end = start + length;
  const blockAt = (at: number): Promise<Buffer> => readAt(file, at, Math.max(0, Math.min(BLOCK_BYTES, end - at)));
  let next = blockAt(start);
  for (let at = start; at < end; at += BLOCK_BYTES) {
    const block = await next;
    // Disk and network at once.
    next = blockAt(at + BLOCK_BYTES);
    if (!(await body.write(block))) break;
  }
  await next;
  response.end();
}

/** The size of a file that ended `endAfter` bytes behind the place that is asked for when it was opened. */
function shortened(range: string | undefined, size: number, endAfter: number): number {
  const asked = parseRange(range, size);
  if (asked.kind === "invalid" || asked.kind === "beyond") return size;
  return Math.min(size, (asked.kind === "part" ? asked.start : 0) + endAfter);
}

async function readAt(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const block = Buffer.allocUnsafe(length);
  const { bytesRead } = await file.read(block, 0, length, position);
  if (bytesRead < length) throw new Error("a log file became shorter while it was read");
  return block;
}

/** Without `Keep-Alive`, which Go does not send. */
function head(response: ServerResponse, outlet: Outlet, status: number, headers: Record<string, string>): void {
  response.removeHeader("connection");
  const last = response.shouldKeepAlive ? {} : { Connection: "close" };
  response.writeHead(status, { ...headers, ...outlet.headers, ...last });
}

function isMissing(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === "ENOENT" || code === "ENOTDIR" || code === "ENAMETOOLONG";
}
