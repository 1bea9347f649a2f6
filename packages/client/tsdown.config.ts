import { resolve } from "node:path";
import { type Rolldown, type UserConfig, defineConfig } from "tsdown";

const ALLOWED = ["@trpc/client", "@trpc/server"];

/** `tsc` has emitted the declarations of this package and of those it bundles below `dist/types`. */
const emittedTypes: Rolldown.Plugin = {
  name: "emitted-types",
  resolveId(id) {
    const name = /^@tailrace\/([a-z]+)$/.exec(id)?.[1];
    return name === undefined ? null : resolve("dist/types", name, "src/index.d.ts");
  },
};

/** `deps.onlyImport` reads import statements; a type that TypeScript inferred names its package as `import("package")`. */
const onlyImportTypes: Rolldown.Plugin = {
  name: "only-import-types",
  writeBundle(_, bundle) {
    for (const output of Object.values(bundle)) {
      if (output.type !== "chunk") continue;
      for (const [, name = ""] of output.code.matchAll(/\bimport\(\s*["']([^"']+)["']/g)) {
        if (!ALLOWED.includes(name)) this.error(`the type import("${name}") leaks into ${output.fileName}`);
      }
    }
  },
};

const shared: UserConfig = {
  outDir: "dist/package",
  platform: "neutral",
  target: "es2023",
  clean: false,
  inputOptions: { treeshake: { moduleSideEffects: false } },
  fixedExtension: true,
};

// Both builds fail and name the package when server code, or a type of the server's libraries, gets into the client.
export default defineConfig([
  {
    ...shared,
    entry: "src/index.ts",
    tsconfig: "tsconfig.json",
    dts: false,
    deps: { alwaysBundle: [/^@tailrace\//], onlyBundle: [], onlyImport: ALLOWED },
  },
  {
    ...shared,
    entry: { index: "dist/types/client/src/index.d.ts" },
    tsconfig: "tsconfig.build.json",
    dts: { dtsInput: true, emitDtsOnly: true },
    plugins: [emittedTypes, onlyImportTypes],
    deps: {
      alwaysBundle: [/^@tailrace\//],
      neverBundle: [/^(?!@tailrace\/)[@a-z]/],
      onlyBundle: [],
      onlyImport: ALLOWED,
    },
  },
]);
