import type { ConfigMap, Container, EnvVar, Pod } from "../store/kinds.ts";

/** Where references in a container's environment lead. */
export interface EnvironmentSources {
  pod: Pod;
  podIP: string;
  configMap: (name: string) => ConfigMap | undefined;
}

/** A container's environment, or why the container can't be made. */
export type Environment = { env: Record<string, string> } | { problem: string };

/** `env` over `envFrom`, with `$(NAME)` replaced by what came before, as the kubelet does it. */
export function containerEnvironment(container: Container, sources: EnvironmentSources): Environment {
  const env: Record<string, string> = {};
  for (const { prefix = "", configMapRef } of container.envFrom ?? []) {
    if (configMapRef === undefined) return { problem: "the sandbox has no secrets" };
    const found = sources.configMap(configMapRef.name);
    if (found === undefined && configMapRef.optional !== true)
      return { problem: `configmap "${configMapRef.name}" not found` };
    for (const [key, value] of Object.entries(found?.data ?? {})) env[prefix + key] = value;
  }
  for (const { name, value, valueFrom } of container.env ?? []) {
    const resolved = valueFrom === undefined ? { value: expand(value ?? "", env) } : referenced(valueFrom, sources);
    if ("problem" in resolved) return resolved;
    if (resolved.value !== undefined) env[name] = resolved.value;
  }
  return { env };
}

function referenced(
  from: NonNullable<EnvVar["valueFrom"]>,
  sources: EnvironmentSources,
): { value: string | undefined } | { problem: string } {
  if (from.fieldRef !== undefined) return { value: field(from.fieldRef.fieldPath, sources) };
  if (from.configMapKeyRef === undefined) return { problem: "the sandbox knows fieldRef and configMapKeyRef alone" };
  const { name, key, optional } = from.configMapKeyRef;
  const value = sources.configMap(name)?.data?.[key];
  if (value === undefined && optional !== true) return { problem: `couldn't find key ${key} in ConfigMap ${name}` };
  return { value };
}

function field(path: string, { pod, podIP }: EnvironmentSources): string {
  const key = /^metadata\.(labels|annotations)\['(.+)'\]$/.exec(path);
  if (key !== null) return pod.metadata[key[1] as "labels" | "annotations"]?.[key[2]!] ?? "";
  const fields: Record<string, string> = {
    "metadata.name": pod.metadata.name,
    "metadata.namespace": pod.metadata.namespace,
    "metadata.uid": pod.metadata.uid,
    "spec.nodeName": pod.spec.nodeName ?? "",
    "spec.serviceAccountName": pod.spec.serviceAccountName ?? "default",
    "status.podIP": podIP,
    "status.hostIP": "127.0.0.1",
  };
  return fields[path] ?? "";
}

/** `$(NAME)` becomes the variable's value, `$$` a `$`; what is not known stays (k8s.io/kubernetes, third_party/forked/golang/expansion). */
export function expand(text: string, env: Readonly<Record<string, string>>): string {
  return text.replace(/\$(\$|\(([^)]*)\))/g, (whole, after: string, name: string | undefined) =>
    after === "$" ? "$" : (env[name!] ?? whole),
  );
}
