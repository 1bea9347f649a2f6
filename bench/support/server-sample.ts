import { readdir, readlink } from "node:fs/promises";
import { sumOf } from "../../e2e/support/metrics.ts";
import type { ServerProcess } from "../../e2e/support/server.ts";

/** What a server's process has at one moment. Sizes are in MiB. */
export interface ServerSample {
  /** Since the first one. */
  seconds: number;
  /** Streams that are read. */
  streams: number;
  /** Lines that were stored so far. */
  lines: number;
  rss: number;
  heap: number;
  /** Memory outside of the heap that belongs to its objects. */
  external: number;
  /** Open files, sockets included. */
  fds: number;
  sockets: number;
}

const MIB = 1024 * 1024;

/** @throws Error where the server does not answer */
export async function sampleServer(server: ServerProcess, since: number): Promise<ServerSample> {
  const [streams, lines, rss, heap, external, files] = await Promise.all([
    sumOf(server, "tailrace_log_streams_open"),
    sumOf(server, "tailrace_log_lines_total"),
    sumOf(server, "process_resident_memory_bytes"),
    sumOf(server, "nodejs_heap_size_used_bytes"),
    sumOf(server, "nodejs_external_memory_bytes"),
    openFiles(server.child.pid!),
  ]);
  return {
    seconds: (performance.now() - since) / 1000,
    streams,
    lines,
    rss: rss / MIB,
    heap: heap / MIB,
    external: external / MIB,
    fds: files.length,
    sockets: files.filter((file) => file.startsWith("socket:")).length,
  };
}

/** What a process has open, as Linux names it; what is closed meanwhile is left out. */
async function openFiles(pid: number): Promise<string[]> {
  const folder = `/proc/${pid}/fd`;
  const targets = await Promise.all((await readdir(folder)).map((fd) => readlink(`${folder}/${fd}`).catch(() => null)));
  return targets.filter((target) => target !== null);
}
