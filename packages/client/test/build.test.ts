import { execFile } from "node:child_process";
import { mkdir, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { delimiter, join, resolve } from "node:path";
import { promisify } from "node:util";
import { beforeAll, describe, expect, it } from "vitest";

const ROOT = resolve(import.meta.dirname, "..");
const PACKAGE = join(ROOT, "dist/package");

const run = promisify(execFile);
const bins = [join(ROOT, "node_modules/.bin"), join(ROOT, "../../node_modules/.bin")];
const env = { ...process.env, PATH: [...bins, process.env["PATH"]].join(delimiter), NO_COLOR: "1" };

let types: string;
let code: string;
beforeAll(async () => {
  await rm(join(ROOT, "dist"), { recursive: true, force: true });
  const { scripts } = JSON.parse(await readFile(join(ROOT, "package.json"), "utf8"));
  await run("sh", ["-c", scripts.build], { cwd: ROOT, env }).catch((error: { stdout: string; stderr: string }) => {
    throw new Error(`the build failed\n${error.stdout}${error.stderr}`);
  });
  types = await readFile(join(PACKAGE, "index.d.ts"), "utf8");
  code = await readFile(join(PACKAGE, "index.mjs"), "utf8");
});

/** What a module or a declaration file imports, in each way that TypeScript writes it. */
function importsOf(text: string): string[] {
  const found = [
    ...text.matchAll(/\bfrom\s*["']([^"']+)["']/g),
    ...text.matchAll(/\bimport\s*\(\s*["']([^"']+)["']/g),
    ...text.matchAll(/^\s*import\s*["']([^"']+)["']/gm),
    ...text.matchAll(/<reference\s+(?:types|path|lib)\s*=\s*["']([^"']+)["']/g),
  ];
  return [...new Set(found.map((match) => match[1] ?? ""))].toSorted();
}

describe("the published package", () => {
  it("is one module and its declarations", async () => {
    expect((await readdir(PACKAGE)).toSorted()).toEqual(["index.d.ts", "index.mjs"]);
  });

  it("imports tRPC and nothing else", () => {
    expect(importsOf(types)).toEqual(["@trpc/client", "@trpc/server"]);
    expect(importsOf(code)).toEqual(["@trpc/client", "@trpc/server/observable"]);
  });

  it("names nothing of the server in its types", () => {
    expect(types).not.toMatch(/drizzle|fastify|\bpg\b|zod|@tailrace|ApiContext|ApiStore|Principal|node:/i);
    expect(types).toContain("createClient");
    expect(types.length).toBeLessThan(30_000);
  });

  it("type-checks on its own, with the strictest settings", async () => {
    const directory = join(ROOT, "dist/consumer");
    await mkdir(directory, { recursive: true });
    const consumer = `
      import { createClient, isTailraceError, type LogItem, type LogPage, type Run, type RouterInputs } from "../package/index.js";
      const client = createClient({ url: "http://127.0.0.1:4173" });
      const input: RouterInputs["runs"]["create"] = { teamId: "a", scenarioId: "b", parallelism: 2 };
      const run: Run = await client.runs.create.mutate(input);
      const logs: string | null | undefined = run.steps[0]?.containerLogs;
      // @ts-expect-error parallelism is a number
      await client.runs.create.mutate({ teamId: "a", scenarioId: "b", parallelism: "2" }).catch((error: unknown) => {
        if (isTailraceError(error, "BAD_REQUEST")) return error.issues.map(({ path }) => path);
        throw error;
      });
      const wanted: RouterInputs["logs"]["page"] = { teamId: "a", runId: run.id, roles: ["runner"], levels: ["none"] };
      const page: LogPage = await client.logs.page.query(wanted);
      const text = (item: LogItem): string =>
        item.kind === "line" ? item.line : item.kind === "gap" ? item.text : item.reason;
      export { logs, page, text };
    `;
    const compilerOptions = {
      module: "NodeNext",
      target: "ES2024",
      lib: ["ES2024", "ESNext.Disposable", "DOM"],
      types: [],
      strict: true,
      skipLibCheck: false,
      exactOptionalPropertyTypes: true,
      noEmit: true,
    };
    await writeFile(join(directory, "consumer.mts"), consumer);
    await writeFile(join(directory, "tsconfig.json"), JSON.stringify({ compilerOptions, files: ["consumer.mts"] }));
    const checked = await run("tsc", ["-p", directory], { cwd: ROOT, env }).catch((error: { stdout: string }) => error);
    expect(checked.stdout).toBe("");
  });

  it("runs on its own", async () => {
    const script = `
      const { createClient, parseContainerLogs, isTailraceError } = await import(${JSON.stringify(join(PACKAGE, "index.mjs"))});
      const error = await createClient({ url: "http://127.0.0.1:1" }).teams.list.query().catch((reason) => reason);
      const [section] = parseContainerLogs("=== Container: pod-a ===\\nline\\n");
      console.log(isTailraceError(error, "NETWORK"), section.pod, section.lines.length);
    `;
    const { stdout } = await run(process.execPath, ["--input-type=module", "--eval", script], { cwd: ROOT, env });
    expect(stdout.trim()).toBe("true pod-a 1");
  });
});
