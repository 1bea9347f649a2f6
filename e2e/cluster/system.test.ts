import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { CustomObjectsApi } from "@kubernetes/client-node";
import { loadKubeConfig } from "@tailrace/kubernetes";
import { openNamespace } from "../support/cluster.ts";
import { describeSystem } from "../system/suite.ts";

/** A shell command that restarts the API server of a cluster made for tests; without it that test is skipped. */
const restart = process.env["TAILRACE_TEST_RESTART_API"];

describeSystem(
  "a whole Tailrace on the cluster of the kubeconfig",
  async () => {
    const namespace = await openNamespace("tailrace-system");
    return {
      env: { KUBECONFIG: process.env["KUBECONFIG"] ?? "" },
      namespace: namespace.name,
      core: namespace.core,
      custom: loadKubeConfig().makeApiClient(CustomObjectsApi),
      cluster: namespace.cluster,
      ...(restart === undefined
        ? {}
        : { restartApi: async () => void (await promisify(execFile)("sh", ["-c", restart])) }),
      [Symbol.asyncDispose]: () => namespace[Symbol.asyncDispose](),
    };
  },
  { runsScripts: true, parallelisms: [1, 2, 10] },
);
