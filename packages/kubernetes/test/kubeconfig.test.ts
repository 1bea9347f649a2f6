import { isTailraceError } from "@tailrace/core";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { contextNamespace, findKubeConfig } from "../src/kubeconfig.ts";

let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "tailrace-"));
});

afterEach(() => rmSync(root, { recursive: true }));

function file(path: string, text: string): string {
  const full = join(root, path);
  mkdirSync(dirname(full), { recursive: true });
  writeFileSync(full, text);
  return full;
}

function configText(name: string, more: { current?: boolean; namespace?: string; server?: string } = {}): string {
  const namespace = more.namespace === undefined ? "" : `, namespace: ${more.namespace}`;
  return [
    "apiVersion: v1",
    "kind: Config",
    `clusters: [{name: ${name}, cluster: {server: "${more.server ?? `https://${name}.example`}", certificate-authority: ca.crt}}]`,
    `users: [{name: ${name}, user: {token: ${name}}}]`,
    `contexts: [{name: ${name}, context: {cluster: ${name}, user: ${name}${namespace}}}]`,
    more.current === false ? "" : `current-context: ${name}`,
  ].join("\n");
}

const surroundings = (env: Record<string, string> = {}) => ({ env, home: join(root, "home"), root });

function refusal(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    if (isTailraceError(error, "BAD_REQUEST")) return error.message;
    throw error;
  }
  throw new Error("it was accepted");
}

test("the path that is given wins over the environment, that over the home folder, that over the pod's own", () => {
  const given = file("given/config", configText("given"));
  const named = file("named/config", configText("named"));
  file("home/.kube/config", configText("home", { namespace: "team" }));
  file("var/run/secrets/kubernetes.io/serviceaccount/token", "t");
  file("var/run/secrets/kubernetes.io/serviceaccount/namespace", "pod-ns");
  const inPod = { KUBERNETES_SERVICE_HOST: "10.0.0.1", KUBERNETES_SERVICE_PORT: "443" };
  const serverOf = (kubeconfig: string | undefined, env: Record<string, string>, home = join(root, "home")) =>
    findKubeConfig({ kubeconfig }, { env, home, root }).getCurrentCluster()!.name;
  expect(serverOf(given, { KUBECONFIG: named, ...inPod })).toBe("given");
  expect(serverOf(undefined, { KUBECONFIG: named, ...inPod })).toBe("named");
  expect(serverOf(undefined, inPod)).toBe("home");
  expect(serverOf(undefined, inPod, join(root, "nobody"))).toBe("inCluster");
  expect(contextNamespace(findKubeConfig({}, { env: inPod, home: join(root, "nobody"), root }))).toBe("pod-ns");
});

test("of several files the first wins, and missing ones are passed over", () => {
  const a = file("a/config", configText("a", { current: false }));
  const b = file("b/config", configText("b", { namespace: "team" }));
  const other = file("c/config", configText("b", { server: "https://other.example" }));
  const paths = [join(root, "missing"), a, b, other].join(delimiter);
  const config = findKubeConfig({ kubeconfig: paths }, surroundings());
  expect(config.getCurrentContext()).toBe("b");
  expect(config.getCurrentCluster()).toMatchObject({ server: "https://b.example", caFile: join(root, "b/ca.crt") });
  expect(contextNamespace(config)).toBe("team");
  const chosen = findKubeConfig({ kubeconfig: paths, context: "a" }, surroundings());
  expect(chosen.getCurrentCluster()).toMatchObject({ server: "https://a.example" });
  expect(contextNamespace(chosen)).toBe("default");
});

test("what is missing is named", () => {
  expect(refusal(() => findKubeConfig({}, surroundings()))).toMatch(/home\/\.kube\/config does not exist/);
  expect(refusal(() => findKubeConfig({ kubeconfig: "/nowhere/x" }, surroundings()))).toMatch(
    /\/nowhere\/x does not exist/,
  );
  const path = file("config", configText("a"));
  expect(refusal(() => findKubeConfig({ kubeconfig: path, context: "b" }, surroundings()))).toMatch(
    /no context "b" in .*; it has: a$/,
  );
  const none = file("none", configText("a", { current: false }));
  expect(refusal(() => findKubeConfig({ kubeconfig: none }, surroundings()))).toMatch(/no current context/);
  const broken = file("broken", "clusters: [");
  expect(refusal(() => findKubeConfig({ kubeconfig: broken }, surroundings()))).toMatch(/broken can't be read/);
  const dangling = file("dangling", configText("a").replace("cluster: a,", "cluster: z,"));
  expect(refusal(() => findKubeConfig({ kubeconfig: dangling }, surroundings()))).toMatch(/cluster of context "a"/);
});
