import { FILE_START, type NodeLogs } from "@tailrace/core";
import type { KubeConfig } from "@kubernetes/client-node";
import { once } from "node:events";
import tls from "node:tls";
import type { AddressInfo } from "node:net";
import { afterEach, beforeAll, describe, expect, test } from "vitest";
import { openCluster } from "../src/cluster.ts";
import { silentLogger } from "../src/log.ts";
import { base64, type KeyPair, makeAuthority, makeCertificate } from "./support/certificates.ts";
import { kubeConfigFor, never, startServer } from "./support/server.ts";

const NODE = { name: "node-1", address: "127.0.0.1" };
const UID = "07037fab-6ef4-4d4b-8e02-1e23948001f9";
const FOLDER = { node: NODE, instance: { pod: "p", podUid: UID, container: "c" } };

let ca: KeyPair;
let client: KeyPair;

beforeAll(async () => {
  ca = await makeAuthority();
  client = await makeCertificate("tailrace", {}, ca);
});

/** Counts whatever it learns of whoever connects. */
interface Kubelet extends AsyncDisposable {
  port: number;
  handshakes: number;
  /** Bytes of requests. */
  received: string;
  /** Common names of the certificates that were shown. */
  shown: string[];
}

async function startKubelet(own: KeyPair): Promise<Kubelet> {
  const server = tls.createServer({ ...own, ca: ca.cert, requestCert: true, rejectUnauthorized: false });
  const sockets = new Set<tls.TLSSocket>();
  const kubelet: Kubelet = {
    port: 0,
    handshakes: 0,
    received: "",
    shown: [],
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  server.on("connection", () => (kubelet.handshakes += 1));
  server.on("secureConnection", (socket) => {
    sockets.add(socket);
    const { subject } = socket.getPeerCertificate();
    if (subject !== undefined) kubelet.shown.push(String(subject.CN));
    socket.on("error", () => socket.destroy());
    socket.on("data", (bytes) => {
      kubelet.received += bytes.toString();
      if (kubelet.received.endsWith("\r\n\r\n")) socket.write("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc");
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  kubelet.port = (server.address() as AddressInfo).port;
  return kubelet;
}

const opened: { close(): Promise<void> }[] = [];

afterEach(async () => {
  for (const cluster of opened.splice(0)) await cluster.close();
});

function logsOf(kubelet: Kubelet, more: { ca?: string; insecure?: boolean } = {}, config = clusterConfig()): NodeLogs {
  const cluster = openCluster({ kubeConfig: config, namespace: "ns", log: silentLogger });
  opened.push(cluster);
  return cluster.nodeLogs({ by: "kubelet", port: kubelet.port, ...more });
}

/** A kubeconfig with a token, a client certificate, and the test's CA. */
function clusterConfig(cluster: { skipTLSVerify?: boolean; tlsServerName?: string; caData?: string } = {}): KubeConfig {
  return kubeConfigFor("https://api.example:6443", "secret", {
    cluster: { caData: base64(ca.cert), ...cluster },
    user: { certData: base64(client.cert), keyData: base64(client.key) },
  });
}

async function read(logs: NodeLogs): Promise<string> {
  let text = "";
  const file = { name: "0.log", place: FILE_START, limit: null };
  await logs.read(FOLDER, file, (bytes) => ((text += Buffer.from(bytes).toString()), true), never());
  return text;
}

describe("a kubelet's certificate", () => {
  test.each([
    ["address", { ip: ["127.0.0.1"] }],
    ["name", { dns: ["node-1"] }],
    ["name, among others", { dns: ["other", "node-1"], ip: ["10.0.0.1"] }],
  ])("may bear the node's %s", async (_name, names) => {
    await using kubelet = await startKubelet(await makeCertificate("kubelet", names, ca));
    expect(await read(logsOf(kubelet))).toBe("abc");
    expect(kubelet.received).toMatch(/^GET \/logs\/pods\/ns_p_[0-9a-f-]{36}\/c\/0\.log HTTP\/1\.1\r\n/);
    expect(kubelet.received).toContain("\r\nAuthorization: Bearer secret\r\n");
    expect(kubelet.received).toContain(`\r\nhost: 127.0.0.1:${kubelet.port}\r\n`);
    // The first handshake is there to look at the kubelet's certificate.
    expect(kubelet).toMatchObject({ handshakes: 2, shown: ["tailrace"] });
  });

  test.each([
    ["signed by itself", async () => makeCertificate("node-1", { dns: ["node-1"], ip: ["127.0.0.1"] })],
    ["signed by another authority", async () => makeCertificate("x", { ip: ["127.0.0.1"] }, await makeAuthority())],
    ["for another node", async () => makeCertificate("x", { dns: ["node-2"], ip: ["10.0.0.1"] }, ca)],
    ["for the node as its common name alone", async () => makeCertificate("node-1", {}, ca)],
    ["for a part of the name", async () => makeCertificate("x", { dns: ["node-*", "node"] }, ca)],
  ])("%s: it never receives a request, a token or a certificate", async (_name, make) => {
    await using kubelet = await startKubelet(await make());
    for (const config of [clusterConfig(), clusterConfig({ skipTLSVerify: true, tlsServerName: "node-1" })]) {
      const logs = logsOf(kubelet, {}, config);
      await expect(read(logs)).rejects.toMatchObject({
        code: "network",
        message: expect.stringMatching(/certificate/),
      });
      await expect(logs.list(FOLDER, never())).rejects.toMatchObject({ code: "network" });
    }
    expect(kubelet).toMatchObject({ handshakes: 4, received: "", shown: [] });
  });

  test("is checked by the CA that is given, in the place of the cluster's", async () => {
    const other = await makeAuthority("other");
    await using kubelet = await startKubelet(await makeCertificate("x", { ip: ["127.0.0.1"] }, other));
    expect(await read(logsOf(kubelet, { ca: other.cert }))).toBe("abc");
    await using ours = await startKubelet(await makeCertificate("x", { ip: ["127.0.0.1"] }, ca));
    await expect(read(logsOf(ours, { ca: other.cert }))).rejects.toMatchObject({ code: "network" });
    expect(ours).toMatchObject({ received: "", shown: [] });
  });

  test("is not looked at where that is asked for", async () => {
    await using kubelet = await startKubelet(await makeCertificate("x", { dns: ["whoever"] }));
    expect(await read(logsOf(kubelet, { insecure: true }))).toBe("abc");
    expect(kubelet).toMatchObject({ handshakes: 1, shown: ["tailrace"] });
  });

  test("is looked at on each new connection", async () => {
    await using kubelet = await startKubelet(await makeCertificate("x", { ip: ["127.0.0.1"] }, ca));
    const logs = logsOf(kubelet);
    expect(await read(logs)).toBe("abc");
    const { port } = kubelet;
    await kubelet[Symbol.asyncDispose]();
    const impostor = tls.createServer({ ...(await makeCertificate("x", { ip: ["127.0.0.1"] })) });
    let received = "";
    impostor.on("secureConnection", (socket) => {
      socket.on("error", () => socket.destroy());
      socket.on("data", (bytes) => (received += bytes.toString()));
    });
    impostor.listen(port, "127.0.0.1");
    await once(impostor, "listening");
    await expect(read(logs)).rejects.toMatchObject({ code: "network", message: expect.stringMatching(/certificate/) });
    impostor.close();
    expect(received).toBe("");
  });
});

test("the API server's certificate is checked by the kubeconfig's rules", async () => {
  const certificate = await makeCertificate("api", { dns: ["api.example"] }, ca);
  await using server = await startServer((_request, response) => void response.writeHead(200).end("x"), certificate);
  const open = (cluster: { skipTLSVerify?: boolean; tlsServerName?: string; caData?: string }): NodeLogs => {
    const config = clusterConfig(cluster);
    config.clusters = config.clusters.map((one) => ({ ...one, server: server.url }));
    const made = openCluster({ kubeConfig: config, namespace: "ns", log: silentLogger });
    opened.push(made);
    return made.nodeLogs({ by: "proxy" });
  };
  await expect(read(open({}))).rejects.toMatchObject({ code: "network" });
  expect(server.requests).toHaveLength(0);
  expect(await read(open({ tlsServerName: "api.example" }))).toBe("x");
  expect(await read(open({ skipTLSVerify: true }))).toBe("x");
  expect(server.requests[0]).toMatchObject({ path: `/api/v1/nodes/node-1/proxy/logs/pods/ns_p_${UID}/c/0.log` });
  expect(server.requests[0]!.headers.authorization).toBe("Bearer secret");
});
