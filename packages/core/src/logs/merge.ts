import type { PodObject } from "../kubernetes/objects.ts";
import type { ContainerRead } from "./answer.ts";
import { comparePods, testRunContainers, type ContainerRef } from "./containers.ts";
import type { ContainerSection } from "./format.ts";

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

/** The section of a container that has not started; null for one that has. */
export function waitingSection(ref: ContainerRef): ContainerSection | null {
  if (ref.state.phase !== "waiting") return null;
  const { pod, container, named, restart, state } = ref;
  return { pod, container: named ? container : null, restart, state: "waiting", reason: state.reason, lines: [] };
}

/**
 * Sections in the order of a snapshot: initializer, starter, runners by index; in a pod as its containers are declared,
 * init containers first, each instance before the next one.
 */
export function orderSections(
  testRunName: string,
  pods: readonly PodObject[],
  sections: readonly ContainerSection[],
): ContainerSection[] {
  const declared = testRunContainers(testRunName, pods).map(({ pod, container }) => `${pod}/${container}`);
  const place = ({ pod, container }: ContainerSection): number => declared.indexOf(`${pod}/${container ?? ""}`);
  return sections.toSorted(
    (a, b) => comparePods(testRunName, a.pod, b.pod) || place(a) - place(b) || a.restart - b.restart,
  );
}
