import { randomBytes } from "node:crypto";
import { CoreV1Api } from "@kubernetes/client-node";
import { loadKubeConfig, openCluster, silentLogger } from "@tailrace/kubernetes";
import type { Cluster } from "@tailrace/core";

/** A namespace of its own on the cluster of the kubeconfig, deleted again with all it holds. */
export interface TestNamespace extends AsyncDisposable {
  name: string;
  core: CoreV1Api;
  cluster: Cluster;
  deletePod(name: string): Promise<void>;
}

export async function openNamespace(prefix: string): Promise<TestNamespace> {
  const kubeConfig = loadKubeConfig();
  const core = kubeConfig.makeApiClient(CoreV1Api);
  const name = `${prefix}-${randomBytes(3).toString("hex")}`;
  await core.createNamespace({ body: { metadata: { name } } });
  const cluster = openCluster({ kubeConfig, namespace: name, log: silentLogger });
  return {
    name,
    core,
    cluster,
    async deletePod(pod) {
      await core.deleteNamespacedPod({ namespace: name, name: pod });
    },
    async [Symbol.asyncDispose]() {
      await cluster.close();
      await core.deleteNamespace({ name });
    },
  };
}
