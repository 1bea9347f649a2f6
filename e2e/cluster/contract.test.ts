import { describeContract } from "../contract/suite.ts";
import { openNamespace } from "../support/cluster.ts";

describeContract(
  "the contract, on the cluster of the kubeconfig",
  async () => {
    const namespace = await openNamespace("tailrace-contract");
    return {
      cluster: namespace.cluster,
      image: "grafana/k6:2.2.0",
      runsScripts: true,
      deletePod: (name) => namespace.deletePod(name),
      [Symbol.asyncDispose]: () => namespace[Symbol.asyncDispose](),
    };
  },
  { runsScripts: true },
);
