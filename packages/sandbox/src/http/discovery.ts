import { apiVersion, RESOURCE_NAMES, RESOURCES } from "../api/resources.ts";
import { unknownPath } from "../api/status.ts";
import type { Answer } from "./answer.ts";

const VERBS = ["create", "delete", "get", "list", "patch", "watch"];

/** What clients ask before anything else: versions, health, groups and resources. */
export function discover(path: string, address: string): Answer {
  switch (path) {
    case "/version":
      return json({
        major: "1",
        minor: "34",
        gitVersion: "v1.34.4",
        gitCommit: "sandbox",
        gitTreeState: "clean",
        buildDate: "2026-01-01T00:00:00Z",
        goVersion: "none",
        compiler: "none",
        platform: "linux/amd64",
      });
    case "/readyz":
    case "/livez":
    case "/healthz":
      return { status: 200, bytes: "ok", contentType: "text/plain; charset=utf-8" };
    case "/api":
      return json({
        kind: "APIVersions",
        versions: ["v1"],
        serverAddressByClientCIDRs: [{ clientCIDR: "0.0.0.0/0", serverAddress: address }],
      });
    case "/apis":
      return json({ kind: "APIGroupList", apiVersion: "v1", groups: groups().map(group) });
  }
  const named = /^\/apis\/([^/]+)$/.exec(path)?.[1];
  if (named !== undefined && groups().includes(named))
    return json({ kind: "APIGroup", apiVersion: "v1", ...group(named) });
  const version = /^\/(?:api\/(v1)|apis\/([^/]+\/[^/]+))$/.exec(path);
  const resources = resourceList(version?.[1] ?? version?.[2]);
  if (resources.length > 0)
    return json({ kind: "APIResourceList", apiVersion: "v1", groupVersion: version![1] ?? version![2], resources });
  if (path.startsWith("/api/") || path.startsWith("/apis/")) throw unknownPath();
  return { status: 404, bytes: "404 page not found\n", contentType: "text/plain; charset=utf-8" };
}

function groups(): string[] {
  return Array.from(new Set(RESOURCE_NAMES.map((name) => RESOURCES[name].group))).filter((name) => name !== "");
}

function group(name: string): object {
  const { version } = Object.values(RESOURCES).find((resource) => resource.group === name)!;
  const entry = { groupVersion: `${name}/${version}`, version };
  return { name, versions: [entry], preferredVersion: entry };
}

function resourceList(groupVersion: string | undefined): object[] {
  return RESOURCE_NAMES.map((name) => RESOURCES[name])
    .filter((resource) => apiVersion(resource) === groupVersion)
    .flatMap(({ plural, singular, kind, shortNames }) => [
      {
        name: plural,
        singularName: singular,
        namespaced: true,
        kind,
        verbs: VERBS,
        ...(shortNames ? { shortNames } : {}),
      },
      ...(plural === "pods"
        ? [
            { name: "pods/log", singularName: "", namespaced: true, kind: "Pod", verbs: ["get"] },
            {
              name: "pods/proxy",
              singularName: "",
              namespaced: true,
              kind: "PodProxyOptions",
              verbs: ["get", "patch"],
            },
          ]
        : []),
    ]);
}

function json(body: unknown): Answer {
  return { status: 200, json: body };
}
