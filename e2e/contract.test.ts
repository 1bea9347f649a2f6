import { describe } from "vitest";
import { describeContract } from "./contract/suite.ts";
import { K6_PATH, WITHOUT_K6 } from "./support/k6.ts";
import { openSandbox } from "./support/sandbox.ts";

const IMAGE = "grafana/k6:2.2.0";

function describeSandbox(title: string, mode: "k6" | "replay"): void {
  describeContract(
    title,
    async () => {
      const there = await openSandbox({
        mode,
        path: process.env["PATH"],
        images: [IMAGE, "ghcr.io/grafana/k6-operator:latest-starter"],
        ...(mode === "k6" ? { k6Bin: K6_PATH! } : {}),
      });
      return {
        cluster: there.cluster,
        image: IMAGE,
        runsScripts: mode === "k6",
        deletePod: async (name) =>
          void (await there.core.deleteNamespacedPod({ namespace: there.sandbox.namespace, name })),
        [Symbol.asyncDispose]: () => there[Symbol.asyncDispose](),
      };
    },
    { runsScripts: mode === "k6" },
  );
}

describeSandbox("the contract, on the sandbox with a replay", "replay");
if (K6_PATH === null) describe.skip(`the contract, on the sandbox with k6: ${WITHOUT_K6}`);
else describeSandbox("the contract, on the sandbox with k6", "k6");
