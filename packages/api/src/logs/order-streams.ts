import type { LogStream, StreamRole } from "@tailrace/core";

const ROLE_ORDER: Record<StreamRole, number> = { init: 0, initializer: 0, starter: 1, runner: 2, other: 3 };

/**
 * Streams in the order of a snapshot: initializer, starter, runners by index; in a pod init containers first, then as they
 * began, each instance before the next one.
 */
export function orderStreams(streams: readonly LogStream[]): LogStream[] {
  const first = new Map<string, number>();
  const keep = (key: string, ordinal: number): void => {
    first.set(key, Math.min(ordinal, first.get(key) ?? ordinal));
  };
  const roles = new Map<string, number>();
  for (const { stepId, pod, container, ordinal, role, runner } of streams) {
    keep(stepId, ordinal);
    keep(pod, ordinal);
    keep(`${pod}/${container}`, ordinal);
    // An init container's pod is what its other containers are for; a runner's says so itself.
    const own = role === "init" && runner !== null ? "runner" : role;
    roles.set(pod, Math.max(ROLE_ORDER[own], roles.get(pod) ?? 0));
  }
  const place = (stream: LogStream): number[] => [
    first.get(stream.stepId)!,
    roles.get(stream.pod)!,
    stream.runner ?? 0,
    first.get(stream.pod)!,
    stream.role === "init" ? 0 : 1,
    first.get(`${stream.pod}/${stream.container}`)!,
    stream.restart,
  ];
  return streams.toSorted((a, b) => compare(place(a), place(b)));
}

function compare(a: readonly number[], b: readonly number[]): number {
  const at = a.findIndex((value, index) => value !== b[index]);
  return at === -1 ? 0 : a[at]! - b[at]!;
}
