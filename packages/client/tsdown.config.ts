import { resolve } from "node:path";
import { type UserConfig, defineConfig } from "tsdown";

const shared: UserConfig = {
  outDir: "dist/package",
  platform: "neutral",
  target: "es2023",
  clean: false,
  inputOptions: { treeshake: { moduleSideEffects: false } },
  fixedExtension: true,
};

/** `tsc` has emitted the declarations of this package and of those it bundles below `dist/types`. */
const emittedTypes = {
  name: "emitted-types",
  resolveId(id: string) {
    const name = /^@tailrace\/([a-z]+)$/.exec(id)?.[1];
    return name === undefined ? null : resolve("dist/types", name, "src/index.d.ts");
  },
};

// Both builds fail and name the package when server code, or a type of the server's libraries, gets into the client.
export default defineConfig([
  {
    ...shared,
    entry: "src/index.ts",
    tsconfig: "tsconfig.json",
    dts: false,
    deps: { alwaysBundle: [/^@tailrace\//], onlyBundle: [], onlyImport: ["@trpc/client", "@trpc/server"] },
  },
  {
    ...shared,
    entry: { index: "dist/types/client/src/index.d.ts" },
    tsconfig: "tsconfig.build.json",
    dts: { dtsInput: true, emitDtsOnly: true },
    plugins: [emittedTypes],
    deps: {
      alwaysBundle: [/^@tailrace\//],
      neverBundle: [/^(?!@tailrace\/)[@a-z]/],
      onlyBundle: [],
      onlyImport: ["@trpc/client", "@trpc/server"],
    },
  },
]);
