import { type LogStream, type StreamRole, TailraceError } from "@tailrace/core";

/** A stream is selected that is in every list that is given. */
export interface LogSelection {
  pods?: readonly string[] | undefined;
  containers?: readonly string[] | undefined;
  roles?: readonly StreamRole[] | undefined;
  runners?: readonly number[] | undefined;
}

/**
 * The selected streams, by their ordinals.
 *
 * @throws TailraceError NOT_FOUND where lines of one were deleted because of their age, as those of the whole run are at
 * about the same time: no lines would look like no output
 */
export function selectStreams(streams: readonly LogStream[], selection: LogSelection, runId: string): LogStream[] {
  const selected = streams.filter((stream) => isSelected(stream, selection));
  if (selected.some(({ expired }) => expired))
    throw new TailraceError("NOT_FOUND", `the logs of test run "${runId}" were deleted because of their age`);
  return selected;
}

function isSelected(
  { pod, container, role, runner }: LogStream,
  { pods, containers, roles, runners }: LogSelection,
): boolean {
  return (
    (pods?.includes(pod) ?? true) &&
    (containers?.includes(container) ?? true) &&
    (roles?.includes(role) ?? true) &&
    (runners === undefined || (runner !== null && runners.includes(runner)))
  );
}
