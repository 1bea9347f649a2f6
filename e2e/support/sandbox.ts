import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { CoreV1Api, CustomObjectsApi } from "@kubernetes/client-node";
import type { Cluster } from "@tailrace/core";
import { loadKubeConfig, openCluster, silentLogger } from "@tailrace/kubernetes";
import { startSandbox, type Sandbox, type SandboxOptions } from "@tailrace/sandbox";
import { temporaryFolder } from "./server.ts";

/** A sandbox in the test's own process, with a kubeconfig file for servers in theirs. */
export interface TestSandbox extends AsyncDisposable {
  sandbox: Sandbox;
  kubeconfig: string;
  core: CoreV1Api;
  custom: CustomObjectsApi;
  cluster: Cluster;
  /** How a server in a process of its own finds the cluster and its kubelet. */
  env: Record<"KUBECONFIG" | "TAILRACE_KUBELET_PORT" | "TAILRACE_KUBELET_CA", string>;
}

export async function openSandbox(options: Omit<SandboxOptions, "dataDir">): Promise<TestSandbox> {
  await using parts = new AsyncDisposableStack();
  const folder = parts.use(await temporaryFolder());
  const sandbox = parts.use(await startSandbox({ ...options, dataDir: folder.path }));
  const kubeconfig = join(folder.path, "kubeconfig");
  // The generated API classes speak plain HTTP only where certificates are not checked.
  const text = sandbox.kubeconfig().replace("cluster: {server:", "cluster: {insecure-skip-tls-verify: true, server:");
  await writeFile(kubeconfig, text, { mode: 0o600 });
  const kubeConfig = loadKubeConfig({ kubeconfig });
  const cluster = parts.adopt(openCluster({ kubeConfig, namespace: sandbox.namespace, log: silentLogger }), (it) =>
    it.close(),
  );
  const kubeletCa = join(folder.path, "kubelet-ca.crt");
  await writeFile(kubeletCa, sandbox.kubelet.ca);
  const owned = parts.move();
  return {
    sandbox,
    kubeconfig,
    core: kubeConfig.makeApiClient(CoreV1Api),
    custom: kubeConfig.makeApiClient(CustomObjectsApi),
    cluster,
    env: {
      KUBECONFIG: kubeconfig,
      TAILRACE_KUBELET_PORT: String(sandbox.kubelet.port),
      TAILRACE_KUBELET_CA: kubeletCa,
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
