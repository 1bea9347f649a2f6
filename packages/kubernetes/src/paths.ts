/** Where the API server keeps the kinds that are used here. */
const RESOURCES = {
  testruns: "/apis/k6.io/v1alpha1",
  jobs: "/apis/batch/v1",
  pods: "/api/v1",
  configmaps: "/api/v1",
} as const;

export type Resource = keyof typeof RESOURCES;

export function resourcePath(resource: Resource, namespace: string, name?: string): string {
  const collection = `${RESOURCES[resource]}/namespaces/${encodeURIComponent(namespace)}/${resource}`;
  return name === undefined ? collection : `${collection}/${encodeURIComponent(name)}`;
}

export function withQuery(path: string, query: Record<string, string | number | boolean>): string {
  const entries = Object.entries(query).map(([key, value]): [string, string] => [key, String(value)]);
  return `${path}?${new URLSearchParams(entries).toString()}`;
}
