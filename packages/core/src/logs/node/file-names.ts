/** The log files of one container instance in its folder on the node. */
export interface InstanceFiles {
  /** True when the file is there that the container writes to. */
  current: boolean;
  /** What was rotated away, the oldest first. */
  rotated: RotatedFile[];
}

export interface RotatedFile {
  /** As it is in the folder now. */
  name: string;
  /** Its name without `.gz`: what stays the same when the kubelet compresses it. */
  base: string;
  gzipped: boolean;
}

/** The name of the file that an instance writes to (kubelet, `kuberuntime.buildContainerLogsPath`). */
export function currentFile(restart: number): string {
  return `${restart}.log`;
}

/**
 * Picks one instance's files out of a folder. The kubelet renames a full file to `{restart}.log.{YYYYMMDD-hhmmss}` and
 * compresses all rotated ones but the newest to `.gz`; what ends in `.tmp` is being made (kubelet,
 * `pkg/kubelet/logs/container_log_manager.go`).
 *
 * @param names - of everything in the folder
 */
export function instanceFiles(restart: number, names: readonly string[]): InstanceFiles {
  const current = currentFile(restart);
  const byBase = new Map<string, RotatedFile>();
  for (const name of names) {
    const base = name.endsWith(".gz") ? name.slice(0, -3) : name;
    if (!base.startsWith(`${current}.`) || !/^\d{8}-\d{6}$/.test(base.slice(current.length + 1))) continue;
    // Both are there between the making of the compressed one and the removal of the other.
    if (byBase.get(base)?.gzipped !== false) byBase.set(base, { name, base, gzipped: name !== base });
  }
  const rotated = [...byBase.values()].toSorted((a, b) => (a.base < b.base ? -1 : 1));
  return { current: names.includes(current), rotated };
}

/** The names in the kubelet's HTML listing of a folder (Go, `net/http.dirList`). */
export function parseListing(html: string): string[] {
  return Array.from(html.matchAll(/<a href="([^"]*)">/g), ([, href]) => unescape(href!)).filter(
    (name) => name !== "" && !name.endsWith("/"),
  );
}

function unescape(href: string): string {
  const text = href
    .replaceAll("&#34;", '"')
    .replaceAll("&#39;", "'")
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">")
    .replaceAll("&amp;", "&");
  try {
    return decodeURIComponent(text);
  } catch (error) {
    if (error instanceof URIError) return "";
    throw error;
  }
}
