const POD_FIELDS = new Set([
  "affinity",
  "automountServiceAccountToken",
  "containerSecurityContext",
  "disabled",
  "env",
  "envFrom",
  "image",
  "imagePullPolicy",
  "imagePullSecrets",
  "initContainers",
  "livenessProbe",
  "metadata",
  "nodeSelector",
  "priorityClassName",
  "readinessProbe",
  "resources",
  "schedulerName",
  "securityContext",
  "serviceAccountName",
  "tolerations",
  "topologySpreadConstraints",
  "volumeMounts",
  "volumes",
]);
const SPEC_FIELDS = new Set([
  "arguments",
  "cleanup",
  "initializer",
  "parallelism",
  "paused",
  "ports",
  "quiet",
  "runner",
  "script",
  "scuttle",
  "separate",
  "starter",
  "testRunId",
  "token",
]);
const SCRIPT_FIELDS: Record<string, Set<string>> = {
  configMap: new Set(["name", "file"]),
  volumeClaim: new Set(["name", "file", "readOnly"]),
};

export interface Pruned {
  spec: Record<string, unknown>;
  /** Paths of the fields that were dropped, as the API server's warnings name them. */
  unknown: string[];
}

/**
 * A TestRun's spec as the CRD of k6-operator 1.5.0 keeps it: unknown fields dropped, defaults filled in, at the levels that
 * are the operator's own (spec, its roles, its script). What lies below, the Kubernetes types, is kept as it came.
 */
export function pruneTestRun(spec: Record<string, unknown>): Pruned {
  const unknown: string[] = [];
  const kept = pick(spec, SPEC_FIELDS, "spec", unknown);
  for (const role of ["initializer", "runner", "starter"]) {
    if (isObject(kept[role]))
      kept[role] = { disabled: false, ...pick(kept[role], POD_FIELDS, `spec.${role}`, unknown) };
  }
  if (isObject(kept.script)) {
    const script = pick(kept.script, new Set(["configMap", "volumeClaim", "localFile"]), "spec.script", unknown);
    for (const [source, fields] of Object.entries(SCRIPT_FIELDS)) {
      if (isObject(script[source])) script[source] = pick(script[source], fields, `spec.script.${source}`, unknown);
    }
    kept.script = script;
  }
  return { spec: { paused: "true", quiet: "true", ...kept }, unknown };
}

function pick(
  object: Record<string, unknown>,
  fields: ReadonlySet<string>,
  path: string,
  unknown: string[],
): Record<string, unknown> {
  const entries = Object.entries(object).filter(([name]) => {
    if (!fields.has(name)) unknown.push(`${path}.${name}`);
    return fields.has(name);
  });
  return Object.fromEntries(entries);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
