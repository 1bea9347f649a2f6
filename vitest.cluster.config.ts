import { defineConfig } from "vitest/config";

const conditions = ["source"];

/** What needs a real cluster with k6-operator: the one that the kubeconfig names. */
export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    root: "e2e",
    globalSetup: ["../packages/store/test/global-setup.ts"],
    include: ["cluster/**/*.test.ts"],
    testTimeout: 180_000,
    hookTimeout: 120_000,
    maxConcurrency: 4,
    fileParallelism: false,
  },
});
