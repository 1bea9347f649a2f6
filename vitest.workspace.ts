import type { TestProjectConfiguration } from "vitest/config";

const room = (name: string, root: string): TestProjectConfiguration => ({
  extends: true,
  test: { name, root, include: ["src/**/*.test.ts", "test/**/*.test.ts"] },
});

/** The test projects, one per room; `vitest.config.ts` uses this list as `test.projects`. */
const projects: TestProjectConfiguration[] = [
  room("core", "packages/core"),
  room("kubernetes", "packages/kubernetes"),
  room("store", "packages/store"),
  room("api", "packages/api"),
  room("client", "packages/client"),
  room("sandbox", "packages/sandbox"),
  room("server", "apps/server"),
  room("cli", "apps/cli"),
  room("scripts", "scripts"),
  { extends: true, test: { name: "e2e", root: "e2e", include: ["**/*.test.ts"], exclude: ["cluster/**"] } },
];

export default projects;
