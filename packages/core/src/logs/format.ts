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
  /** Places where lines are, or may be, missing. (Default: none) */
  gaps?: SectionGap[];
}

/** A place among a section's lines where others are, or may be, missing. */
export interface SectionGap {
  /** The index of the line behind it; as many as there are lines for a place at the end. */
  before: number;
  /** What is missing and why, in one line. */
  text: string;
}

const NOTES = { truncated: " (TRUNCATED)", waiting: " (WAITING)", error: " (ERROR)", log: "" } as const;

const HEADER =
  /^=== Container: ([a-z0-9][a-z0-9.-]*)(?:\/([a-z0-9][a-z0-9-]*))?(?:#(\d+))?(?: \((TRUNCATED|WAITING|ERROR)\))? ===$/;

const GAP = /^=== Gap: (.*) ===$/s;

/** What begins like a header or a gap, behind any number of escapes. */
const LOOKS_LIKE_HEADER = /^\\*=== (?:Container|Gap): /;
const ESCAPED_HEADER = /^\\+=== (?:Container|Gap): /;

/** How a header names the container: `{pod}`, `{pod}/{container}`, and `#{restart}` for a restarted one. */
export function containerTitle(section: Pick<ContainerSection, "pod" | "container" | "restart">): string {
  const container = section.container === null ? "" : `/${section.container}`;
  const restart = section.restart === 0 ? "" : `#${section.restart}`;
  return `${section.pod}${container}${restart}`;
}

/**
 * The snapshot text: for each container a line `=== Container: {title} ===`, then its lines, with a blank line between
 * containers. `(ERROR)` and `(WAITING)` in the header are followed by a line with the reason. Where lines are, or may be,
 * missing stands `=== Gap: {text} ===`.
 *
 * A log line that begins like one of those (`=== Container: `, `=== Gap: `, or that behind backslashes) gets one backslash
 * in front.
 * {@link parseContainerLogs} is the inverse.
 */
export function formatContainerLogs(sections: readonly ContainerSection[]): string {
  const blocks = sections.map((section) => {
    const reason = section.reason === null ? [] : [escapeLine(section.reason)];
    const header = `=== Container: ${containerTitle(section)}${NOTES[section.state]} ===`;
    return [header, ...reason, ...linesWithGaps(section)].join("\n");
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
  let current: ContainerSection = { pod: "", container: null, restart: 0, state: "log", reason: null, lines: [] };
  for (const line of lines) {
    const header = HEADER.exec(line);
    const gap = GAP.exec(line);
    if (header !== null) {
      if (current.lines.at(-1) === "") current.lines.pop();
      current = sectionOfHeader(header);
      sections.push(current);
    } else if (gap !== null) {
      current.gaps = [...(current.gaps ?? []), { before: current.lines.length, text: gap[1]! }];
    } else current.lines.push(ESCAPED_HEADER.test(line) ? line.slice(1) : line);
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
  const gaps = section.gaps?.map(({ before, text }) => ({ before: Math.max(0, before - 1), text }));
  return { ...section, reason, lines, ...(gaps && { gaps }) };
}

function linesWithGaps({ lines, gaps = [] }: ContainerSection): string[] {
  const marks = gaps.map(({ before, text }) => ({ before, line: gapLine(text) }));
  const marksAt = (index: number): string[] => marks.filter(({ before }) => before === index).map(({ line }) => line);
  if (marks.length === 0) return lines.map(escapeLine);
  return [...lines.flatMap((line, index) => [...marksAt(index), escapeLine(line)]), ...marksAt(lines.length)];
}

/** A gap as a line of the text format. */
export function gapLine(text: string): string {
  return `=== Gap: ${text} ===`;
}

/** A log line as a line of the text format. */
export function escapeLine(line: string): string {
  return LOOKS_LIKE_HEADER.test(line) ? `\\${line}` : line;
}
