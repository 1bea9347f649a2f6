import { ClusterError, type NodeLogAccess, type NodeLogs } from "@tailrace/core";
import { expect, test } from "vitest";
import { NodeAccess } from "../src/collector/node-access.ts";
import { openNodeLogs, type NodeLogsOptions } from "../src/node-logs.ts";
import { collectLog } from "./support/collect-log.ts";

const NODE = { name: "one", address: "10.0.0.1" };
const SETTINGS = { nodeLogs: "auto", kubeletPort: 10_250, kubeletCa: undefined, kubeletInsecure: false } as const;

/** Opens the nodes' logs on a cluster that answers reviews with these, the last one for ever. */
async function open(settings: Partial<NodeLogsOptions["settings"]>, reviews: (NodeLogAccess | ClusterError)[]) {
  const { log, lines } = collectLog();
  const access = new NodeAccess(log);
  const asked: string[] = [];
  let opened = "";
  const cluster: NodeLogsOptions["cluster"] = {
    nodeLogs: ({ by, port, insecure }): NodeLogs => {
      opened = `${by} ${port} ${String(insecure)}`;
      return { by, list: () => Promise.reject(), read: () => Promise.reject() };
    },
    reviewNodeLogAccess: (by) => {
      asked.push(by);
      const review = reviews[Math.min(asked.length, reviews.length) - 1]!;
      return review instanceof ClusterError ? Promise.reject(review) : Promise.resolve(review);
    },
  };
  const parts = await openNodeLogs({ settings: { ...SETTINGS, ...settings }, cluster, access, log });
  const allowed = (): string | null => (access.on(NODE) === null ? null : opened);
  return { parts, allowed, asked, words: () => lines().map(({ msg }) => msg), lines };
}

test.each([
  ["off", null, /^logs are read from pods\/log; TAILRACE_NODE_LOGS=auto /],
  ["proxy", "proxy 10250 false", /through the API server \(nodes\/proxy\), else from pods\/log$/],
  ["kubelet", "kubelet 10250 false", /at the kubelets' port \(nodes\/log\), else from pods\/log$/],
] as const)("%s asks for no right, and says what is read", async (nodeLogs, allowed, words) => {
  const opened = await open({ nodeLogs }, []);
  await using _ = opened.parts;
  expect(opened.allowed()).toBe(allowed);
  expect(opened.asked).toEqual([]);
  expect(opened.words()).toEqual([expect.stringMatching(words)]);
});

test("auto reads the files at the kubelets' port where that is granted, never through nodes/proxy", async () => {
  const opened = await open({}, [{ allowed: true, reason: "granted" }]);
  await using _ = opened.parts;
  await expect.poll(opened.allowed).toBe("kubelet 10250 false");
  expect(opened.asked).toEqual(["kubelet"]);
  expect(opened.words()).toEqual([expect.stringMatching(/at the kubelets' port \(nodes\/log is granted\)/)]);
});

test("auto says what would have to be granted", async () => {
  const reason = "get on nodes/log is not granted; a ClusterRole with the rule … grants it";
  const opened = await open({}, [{ allowed: false, reason }]);
  await using _ = opened.parts;
  await expect.poll(() => opened.lines().length).toBe(1);
  expect(opened.lines()[0]).toMatchObject({ reason, msg: expect.stringMatching(/^logs are read from pods\/log/) });
  expect(opened.allowed()).toBeNull();
});

test("auto asks until it is answered, and reads pods/log meanwhile", async () => {
  const away = new ClusterError("network", "connect ECONNREFUSED");
  const opened = await open({}, [away, away, { allowed: true, reason: "granted" }]);
  await using _ = opened.parts;
  expect(opened.allowed()).toBeNull();
  await expect.poll(opened.allowed, { timeout: 10_000 }).not.toBeNull();
  expect(opened.lines().map(({ level }) => level)).toEqual([40, 30]);
});

test("a certificate file that is not there is named, and an unverified kubelet is warned of", async () => {
  await expect(open({ kubeletCa: "/does/not/exist" }, [])).rejects.toThrow(
    /^TAILRACE_KUBELET_CA: \/does\/not\/exist can't be read: ENOENT/,
  );
  const opened = await open({ nodeLogs: "kubelet", kubeletInsecure: true }, []);
  await using _ = opened.parts;
  expect(opened.allowed()).toBe("kubelet 10250 true");
  expect(opened.words()).toContainEqual(
    expect.stringMatching(/^TAILRACE_KUBELET_INSECURE=true: .*can take its token$/),
  );
});
