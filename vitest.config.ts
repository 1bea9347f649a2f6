import { defineConfig } from "vitest/config";
import projects from "./vitest.workspace.ts";

const conditions = ["source"];

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    projects,
    globalSetup: ["packages/store/test/global-setup.ts"],
    // Most of the time is waiting for processes, not computing.
    maxWorkers: 3,
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
});
