import { openSandbox } from "./support/sandbox.ts";
import { until } from "./support/until.ts";
import { describeSystem } from "./system/suite.ts";

describeSystem(
  "a whole Tailrace on the sandbox with a replay",
  async () => {
    const there = await openSandbox({
      mode: "replay",
      images: ["grafana/k6:2.2.0", "ghcr.io/grafana/k6-operator:latest-starter"],
    });
    return {
      ...there,
      namespace: there.sandbox.namespace,
      restartApi: async () => {
        await there.sandbox.faults.stopApi();
        await until("a refused connection", () =>
          fetch(there.sandbox.url).then(
            () => false,
            () => true,
          ),
        );
        await there.sandbox.faults.startApi();
      },
    };
  },
  { runsScripts: false, parallelisms: [1, 5] },
);
