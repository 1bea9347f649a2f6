import type { K6Resources, ResourceQuantities } from "../run-config/config.ts";

/**
 * The resources of a run's pods. A run decides about CPU and memory each as a whole: where it names a request or a
 * limit of one, the installation's defaults for that one do not count, so the two can't contradict each other.
 *
 * @returns undefined when neither names anything
 */
export function effectiveResources(
  asked: K6Resources | undefined,
  defaults: K6Resources | undefined,
): K6Resources | undefined {
  const requests: ResourceQuantities = {};
  const limits: ResourceQuantities = {};
  for (const name of ["cpu", "memory"] as const) {
    const named = asked?.requests?.[name] !== undefined || asked?.limits?.[name] !== undefined;
    const source = named ? asked : defaults;
    if (source?.requests?.[name] !== undefined) requests[name] = source.requests[name];
    if (source?.limits?.[name] !== undefined) limits[name] = source.limits[name];
  }
  const resources: K6Resources = {};
  if (Object.keys(requests).length > 0) resources.requests = requests;
  if (Object.keys(limits).length > 0) resources.limits = limits;
  return Object.keys(resources).length > 0 ? resources : undefined;
}
