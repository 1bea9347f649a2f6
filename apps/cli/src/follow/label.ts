import { type ContainerSection, type PodRole, roleOfPodName } from "@tailrace/core";

/** A container as people know it. */
export interface ContainerLabel {
  role: PodRole;
  /** The runner's number from 1; 0 for the other roles. */
  runner: number;
  /** `initializer`, `starter`, `runner 2/3`, with the container's name and restart where the header has them. */
  text: string;
}

/**
 * @param testRun - the TestRun's name, which is the step's
 * @param parallelism - how many runners the run has
 */
export function labelContainer(
  testRun: string,
  parallelism: number,
  section: Pick<ContainerSection, "pod" | "container" | "restart">,
): ContainerLabel {
  const { role, runnerIndex } = roleOfPodName(testRun, section.pod);
  const name = role === "runner" ? `runner ${runnerIndex}/${parallelism}` : role === "other" ? section.pod : role;
  const container = section.container === null || section.container === "k6" ? "" : ` ${section.container}`;
  const restart = section.restart === 0 ? "" : ` #${section.restart}`;
  return { role, runner: runnerIndex, text: `${name}${container}${restart}` };
}

/** The width that the labels of all containers of an ordinary run have at most. */
export function labelWidth(parallelism: number): number {
  return Math.max("initializer".length, `runner ${parallelism}/${parallelism}`.length);
}
