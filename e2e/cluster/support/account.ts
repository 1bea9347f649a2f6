import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { temporaryFolder } from "../../support/server.ts";
import { kubectl } from "./kubectl.ts";

const MANIFEST = fileURLToPath(new URL("../../../deploy/rbac.yaml", import.meta.url));
const ACCOUNT = "tailrace";
const CLUSTER_ROLE = "tailrace-node-logs";

/** A service account with the rights of `deploy/rbac.yaml` and no others. */
export interface TestAccount extends AsyncDisposable {
  /** A kubeconfig file with a token of the account. */
  kubeconfig: string;
}

/**
 * Makes the account in a namespace, as the README says. The ClusterRole gets the namespace's name added, so that an
 * installation on the same cluster keeps its own.
 *
 * @param options.nodeLogs - whether the account may read the nodes' log files
 */
export async function openAccount(namespace: string, options: { nodeLogs: boolean }): Promise<TestAccount> {
  await using parts = new AsyncDisposableStack();
  const folder = parts.use(await temporaryFolder());
  const clusterRole = `${CLUSTER_ROLE}-${namespace}`;
  const manifest = join(folder.path, "rbac.yaml");
  const text = await readFile(MANIFEST, "utf8");
  await writeFile(manifest, text.replaceAll(CLUSTER_ROLE, clusterRole));
  await kubectl("apply", "--namespace", namespace, "--filename", manifest);
  parts.defer(async () => void (await kubectl("delete", "clusterrole", clusterRole)));
  if (options.nodeLogs) {
    const role = [`--clusterrole=${clusterRole}`, `--serviceaccount=${namespace}:${ACCOUNT}`];
    await kubectl("create", "clusterrolebinding", clusterRole, ...role);
    parts.defer(async () => void (await kubectl("delete", "clusterrolebinding", clusterRole)));
  }
  const kubeconfig = join(folder.path, "kubeconfig");
  const token = await kubectl("create", "token", ACCOUNT, "--namespace", namespace, "--duration=2h");
  const { clusters } = JSON.parse(await kubectl("config", "view", "--minify", "--flatten", "--output=json")) as {
    clusters: { cluster: object }[];
  };
  await writeFile(kubeconfig, JSON.stringify(configurationOf(clusters[0]!.cluster, token)), { mode: 0o600 });
  const owned = parts.move();
  return { kubeconfig, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

function configurationOf(cluster: object, token: string): object {
  return {
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name: "cluster", cluster }],
    users: [{ name: ACCOUNT, user: { token } }],
    contexts: [{ name: ACCOUNT, context: { cluster: "cluster", user: ACCOUNT } }],
    "current-context": ACCOUNT,
  };
}
