import { defineConfig } from "vitest/config";
import projects from "./vitest.workspace.ts";

const conditions = ["source"];

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    projects,
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
});
