/** One kind of object that the sandbox serves. */
export interface Resource {
  /** The group, empty for the core group. */
  group: string;
  version: string;
  plural: string;
  singular: string;
  kind: string;
  /** Whether a change of spec raises `metadata.generation`. */
  generation: boolean;
  shortNames?: readonly string[];
}

const SERVED = {
  configmaps: {
    group: "",
    version: "v1",
    plural: "configmaps",
    singular: "configmap",
    kind: "ConfigMap",
    generation: false,
    shortNames: ["cm"],
  },
  pods: {
    group: "",
    version: "v1",
    plural: "pods",
    singular: "pod",
    kind: "Pod",
    generation: true,
    shortNames: ["po"],
  },
  services: {
    group: "",
    version: "v1",
    plural: "services",
    singular: "service",
    kind: "Service",
    generation: false,
    shortNames: ["svc"],
  },
  jobs: { group: "batch", version: "v1", plural: "jobs", singular: "job", kind: "Job", generation: true },
  testruns: {
    group: "k6.io",
    version: "v1alpha1",
    plural: "testruns",
    singular: "testrun",
    kind: "TestRun",
    generation: true,
  },
} as const satisfies Record<string, Resource>;

export type ResourceName = keyof typeof SERVED;

export const RESOURCES: Readonly<Record<ResourceName, Resource>> = SERVED;

export const RESOURCE_NAMES = Object.keys(SERVED) as ResourceName[];

export function apiVersion(resource: Resource): string {
  return resource.group === "" ? resource.version : `${resource.group}/${resource.version}`;
}

/** `testruns.k6.io`, or `pods` in the core group: as messages name a resource. */
export function qualifiedName(resource: Resource): string {
  return resource.group === "" ? resource.plural : `${resource.plural}.${resource.group}`;
}

/** `TestRun.k6.io`, or `Pod` in the core group: as messages name a kind. */
export function qualifiedKind(resource: Resource): string {
  return resource.group === "" ? resource.kind : `${resource.kind}.${resource.group}`;
}

export function findResource(group: string, version: string, plural: string): ResourceName | undefined {
  return RESOURCE_NAMES.find((name) => {
    const resource = RESOURCES[name];
    return resource.group === group && resource.version === version && resource.plural === plural;
  });
}

/** The resource of an owner reference. */
export function resourceOfKind(apiVersionOfOwner: string, kind: string): ResourceName | undefined {
  return RESOURCE_NAMES.find(
    (name) => RESOURCES[name].kind === kind && apiVersion(RESOURCES[name]) === apiVersionOfOwner,
  );
}
