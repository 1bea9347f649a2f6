import { openNamespace, type TestNamespace } from "../../support/cluster.ts";
import { kubectl } from "./kubectl.ts";

/** A namespace that also goes when a test has left TestRuns whose finalizer no server takes off any more. */
export async function openFinalizedNamespace(prefix: string): Promise<TestNamespace> {
  const namespace = await openNamespace(prefix);
  const { name } = namespace;
  return {
    ...namespace,
    async [Symbol.asyncDispose]() {
      const testRuns = await kubectl("get", "testruns", "--namespace", name, "--output=name");
      for (const testRun of testRuns.split("\n").filter(Boolean)) await removeFinalizers(testRun, name);
      await namespace[Symbol.asyncDispose]();
    },
  };
}

/** What the README says of a TestRun that was deleted while no server is up. */
export async function removeFinalizers(testRun: string, namespace: string): Promise<void> {
  const patch = '{"metadata":{"finalizers":null}}';
  await kubectl("patch", testRun, "--namespace", namespace, "--type=merge", "--patch", patch);
}
