import { posix } from "node:path";

/** What a URL means to the kubelet's port. */
export type Target =
  /** It can't be read. */
  | { kind: "malformed" }
  /** Its path is not a clean one. */
  | { kind: "unclean"; location: string }
  | { kind: "unknown" }
  /** Another of the kubelet's services, which the sandbox does not have, with the subresources that grant it. */
  | { kind: "service"; subresources: readonly string[] }
  | { kind: "logs"; request: LogsRequest };

/** A request for a file or folder below the node's `/var/log`. */
export interface LogsRequest {
  /** Absolute and clean, where `/` is the served folder; null for what no file can be called. */
  path: string | null;
  /** True when it ends in a slash, as a folder does. */
  slash: boolean;
  /** With its question mark, where there is one. */
  query: string;
}

/** kubelet, pkg/kubelet/server/auth.go. */
const SERVICES: Record<string, readonly string[]> = {
  pods: ["pods", "proxy"],
  healthz: ["healthz", "proxy"],
  metrics: ["metrics"],
  stats: ["stats"],
  containerLogs: ["proxy"],
  run: ["proxy"],
  exec: ["proxy"],
  attach: ["proxy"],
  portForward: ["proxy"],
};

/** @param url - of the request line */
export function targetOf(url: string): Target {
  const [, path, query] = /^([^?]*)(.*)$/s.exec(url)! as unknown as [string, string, string];
  if (!path.startsWith("/") || /%(?![0-9a-fA-F]{2})/.test(path)) return { kind: "malformed" };
  const clean = posix.normalize(path);
  if (clean !== path) return { kind: "unclean", location: clean + query };
  const [, first] = path.split("/") as [string, string];
  if (path === "/logs") return { kind: "unclean", location: `/logs/${query}` };
  if (first === "logs") return { kind: "logs", request: logsRequest(path.slice("/logs".length), query) };
  const subresources = Object.hasOwn(SERVICES, first) ? SERVICES[first] : undefined;
  return subresources === undefined ? { kind: "unknown" } : { kind: "service", subresources };
}

function logsRequest(encoded: string, query: string): LogsRequest {
  const path = decode(encoded);
  return { path: path?.includes("\0") === true ? null : path, slash: encoded.endsWith("/"), query };
}

/** Escaped dots are dots, but lead nowhere above the served folder. */
function decode(encoded: string): string | null {
  try {
    return posix.normalize(decodeURIComponent(encoded));
  } catch (error) {
    if (error instanceof URIError) return null;
    throw error;
  }
}
