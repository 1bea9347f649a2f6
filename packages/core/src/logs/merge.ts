import type { ContainerRead } from "./answer.ts";
import { comparePods, type ContainerRef } from "./containers.ts";
import { containerTitle, type ContainerSection } from "./format.ts";

/** A container and what its log said just now. */
export interface ReadContainer {
  ref: ContainerRef;
  read: ContainerRead;
}

/** The section of one container that was never read before. */
export function sectionOf({ ref, read }: ReadContainer): ContainerSection {
  const title = { pod: ref.pod, container: ref.named ? ref.container : null, restart: ref.restart };
  switch (read.kind) {
    case "log":
      if (read.diagnostic !== null) return { ...title, state: "error", reason: read.diagnostic, lines: read.lines };
      return { ...title, state: read.truncated ? "truncated" : "log", reason: null, lines: read.lines };
    case "waiting": {
      // The container's status says more than the log API, which shortens it ("image can't be pulled").
      const reason = ref.state.phase === "waiting" ? ref.state.reason : read.reason;
      return { ...title, state: "waiting", reason, lines: [] };
    }
    case "retry":
    case "gone":
    case "failed":
      return { ...title, state: "error", reason: read.reason, lines: [] };
  }
}

/**
 * The next snapshot: what was read now, and what is known from before of containers that can't be read any more.
 *
 * A container whose pod is gone keeps its section as it is. One that is there but could not be read keeps its lines
 * under an `(ERROR)` header. A restarted container keeps the section of its former instance before its own.
 */
export function mergeSections(
  testRunName: string,
  previous: readonly ContainerSection[],
  reads: readonly ReadContainer[],
): ContainerSection[] {
  const known = new Map(previous.map((section) => [containerTitle(section), section]));
  const merged = new Map<string, ContainerSection>();
  for (const read of reads) {
    const section = sectionOf(read);
    const title = containerTitle(section);
    merged.set(title, withKnown(section, read.read, known.get(title)));
  }
  const kept = previous.filter((section) => !merged.has(containerTitle(section)));
  const position = new Map(reads.map(({ ref }, index) => [`${ref.pod}/${ref.container}`, index]));
  const place = (section: ContainerSection): number => position.get(`${section.pod}/${section.container ?? ""}`) ?? -1;
  return [...kept, ...merged.values()].toSorted(
    (a, b) => comparePods(testRunName, a.pod, b.pod) || place(a) - place(b) || a.restart - b.restart,
  );
}

function withKnown(
  section: ContainerSection,
  read: ContainerRead,
  known: ContainerSection | undefined,
): ContainerSection {
  if (section.state !== "error" || known === undefined || known.lines.length === 0) return section;
  if (read.kind === "gone") return known;
  return section.lines.length > 0 ? section : { ...section, lines: known.lines };
}
