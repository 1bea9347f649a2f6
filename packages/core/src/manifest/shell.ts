/**
 * A value as the `env` of a container takes it. The kubelet expands `$(NAME)` there and makes `$$` a `$`
 * (Kubernetes' `third_party/forked/golang/expansion`), so every `$` is doubled.
 */
export function containerEnvValue(value: string): string {
  return value.replaceAll("$", "$$$$");
}

/**
 * A value as `spec.initializer.env` takes it. k6-operator also writes it into the initializer's shell command, as
 * ` -e NAME="value"` without any escaping (its `pkg/resources/jobs/initializer.go`), and the kubelet expands that
 * command too. So what double quotes do not protect is escaped for the shell, then every `$` is doubled for the kubelet.
 *
 * The initializer's script so sees the value itself, but for CR LF, which `k6 archive -e` reads as LF. The environment
 * of its container has the escaped form, where only k6's own options could notice it.
 */
export function initializerEnvValue(value: string): string {
  return containerEnvValue(value.replace(/[\\"$`]/g, "\\$&"));
}
