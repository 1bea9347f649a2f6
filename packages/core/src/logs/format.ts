/** One container's part of a snapshot. */
export interface ContainerSection {
  pod: string;
  /** Given where the pod has several containers. */
  container: string | null;
  /** The kubelet's restart count; 0 for the first instance. */
  restart: number;
  /**
   * `log`: its newest lines. `truncated`: the same, with older lines left out because of the limit of 256 KiB.
   * `waiting`: not started. `error`: it could not be read now; the lines are those of the last good read.
   */
  state: "log" | "truncated" | "waiting" | "error";
  /** Why, in one line, for `waiting` and `error`. */
  reason: string | null;
  lines: string[];
}

const NOTES = { truncated: " (TRUNCATED)", waiting: " (WAITING)", error: " (ERROR)", log: "" } as const;

const HEADER =
  /^=== Container: ([a-z0-9][a-z0-9.-]*)(?:\/([a-z0-9][a-z0-9-]*))?(?:#(\d+))?(?: \((TRUNCATED|WAITING|ERROR)\))? ===$/;

/** What begins like a header, behind any number of escapes. */
const LOOKS_LIKE_HEADER = /^\\*=== Container: /;
const ESCAPED_HEADER = /^\\+=== Container: /;

/** How a header names the container: `{pod}`, `{pod}/{container}`, and `#{restart}` for a restarted one. */
export function containerTitle(section: Pick<ContainerSection, "pod" | "container" | "restart">): string {
  const container = section.container === null ? "" : `/${section.container}`;
  const restart = section.restart === 0 ? "" : `#${section.restart}`;
  return `${section.pod}${container}${restart}`;
}

/**
 * The snapshot text: for each container a line `=== Container: {title} ===`, then its lines, with a blank line between
 * containers. `(ERROR)` and `(WAITING)` in the header are followed by a line with the reason.
 *
 * A log line that begins like a header (`=== Container: `, or that behind backslashes) gets one backslash in front.
 * {@link parseContainerLogs} is the inverse.
 */
export function formatContainerLogs(sections: readonly ContainerSection[]): string {
  const blocks = sections.map((section) => {
    const reason = section.reason === null ? [] : [escapeLine(section.reason)];
    const header = `=== Container: ${containerTitle(section)}${NOTES[section.state]} ===`;
    return [header, ...reason, ...section.lines.map(escapeLine)].join("\n");
  });
  return blocks.length === 0 ? "" : `${blocks.join("\n\n")}\n`;
}

/**
 * Reads a snapshot back into its containers, in order. Lines before the first header belong to no container and are
 * left out.
 */
export function parseContainerLogs(text: string): ContainerSection[] {
  const lines = text.split("\n");
  if (lines.at(-1) === "") lines.pop();
  const sections: ContainerSection[] = [];
  let body: string[] = [];
  for (const line of lines) {
    const header = HEADER.exec(line);
    if (header === null) {
      body.push(ESCAPED_HEADER.test(line) ? line.slice(1) : line);
      continue;
    }
    if (body.at(-1) === "") body.pop();
    const section = sectionOfHeader(header);
    body = section.lines;
    sections.push(section);
  }
  return sections.map(takeReason);
}

function sectionOfHeader([, pod, container, restart, note]: RegExpExecArray): ContainerSection {
  return {
    pod: pod!,
    container: container ?? null,
    restart: restart === undefined ? 0 : Number(restart),
    state: note === undefined ? "log" : (note.toLowerCase() as ContainerSection["state"]),
    reason: null,
    lines: [],
  };
}

function takeReason(section: ContainerSection): ContainerSection {
  if (section.state !== "error" && section.state !== "waiting") return section;
  const [reason = "", ...lines] = section.lines;
  return { ...section, reason, lines };
}

function escapeLine(line: string): string {
  return LOOKS_LIKE_HEADER.test(line) ? `\\${line}` : line;
}
