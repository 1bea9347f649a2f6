import { spawn } from "node:child_process";
import { once } from "node:events";
import { expect, test } from "vitest";
import { ApiServer, ownedObject, testRunObject } from "./support/api-server.ts";

/** Works with a cluster, closes it, and has nothing else to do: the process must end by itself. */
const PROGRAM = `
import { KubeConfig } from "@kubernetes/client-node";
import { getK6TestRunLogs, openCluster, silentLogger } from "@tailrace/kubernetes";
const kubeConfig = new KubeConfig();
kubeConfig.loadFromClusterAndUser({ name: "test", server: process.argv[1], skipTLSVerify: false }, { name: "test", token: "t" });
const cluster = openCluster({ kubeConfig, namespace: "ns", log: silentLogger });
const view = cluster.watch();
await new Promise((resolve) => view.onChange(() => view.problem === null && resolve()));
const signal = new AbortController().signal;
await Promise.all([cluster.listPods("t", signal), cluster.listJobs("t", signal), getK6TestRunLogs("t", 10, { cluster })]);
cluster.listPods("hang", signal).catch((error) => console.log(error.code));
const request = { pod: "hang", container: "c", follow: true, previous: false, sinceTime: null };
cluster.podLogs.readPodLogs(request, () => true, { signal, silenceMs: 60_000 }).catch((error) => console.log(error.code));
await new Promise((resolve) => setTimeout(resolve, 50));
await cluster.close();
await cluster.close();
console.log("closed", view.observe("t").pods.length);
`;

test("close leaves nothing that keeps the process alive", async () => {
  await using api = await ApiServer.start();
  api.put("testruns", testRunObject("t", "T"));
  api.put("jobs", ownedObject("t-1", "J", "t", "T"));
  api.put("pods", ownedObject("t-1-abcde", "P", "t", "J"));
  api.intercept = ({ path, query }, response) => {
    if (query.get("labelSelector") === "k6_cr=hang" || path.endsWith("/pods/hang/log")) return true;
    if (!path.endsWith("/testruns/t")) return false;
    response.writeHead(200).end(JSON.stringify(testRunObject("t", "T")));
    return true;
  };
  const args = ["--conditions=source", "--input-type=module", "--eval", PROGRAM, api.http.url];
  const child = spawn(process.execPath, args, { cwd: import.meta.dirname, stdio: ["ignore", "pipe", "inherit"] });
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (output += text));
  const timer = setTimeout(() => child.kill("SIGKILL"), 15_000);
  const [code, signal] = (await once(child, "close")) as [number | null, string | null];
  clearTimeout(timer);
  expect({ code, signal, output: output.trim().split("\n").toSorted() }).toEqual({
    code: 0,
    signal: null,
    output: ["closed 1", "network", "network"],
  });
});
