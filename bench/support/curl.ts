import { writeFile } from "node:fs/promises";
import type { RequestOptions } from "node:https";
import { join } from "node:path";
import { loadKubeConfig } from "@tailrace/kubernetes";

/**
 * Arguments with which curl asks the API server of the kubeconfig for a path. HTTP/1.1 is the quicker one here.
 *
 * @param folder - where certificates, key and token are written
 */
export async function curlArguments(path: string, folder: string): Promise<string[]> {
  const kubeConfig = loadKubeConfig();
  const cluster = kubeConfig.getCurrentCluster()!;
  const options: RequestOptions = {};
  await kubeConfig.applyToHTTPSOptions(options);
  const config = ["silent", "show-error", "fail", "http1.1"];
  // A client's configuration has one of each, as text or bytes.
  const files = { cacert: options.ca, cert: options.cert, key: options.key } as Record<
    string,
    string | Buffer | undefined
  >;
  for (const [name, content] of Object.entries(files)) {
    if (content === undefined) continue;
    const file = join(folder, `curl-${name}.pem`);
    await writeFile(file, content, { mode: 0o600 });
    config.push(`${name} = "${file}"`);
  }
  if (cluster.skipTLSVerify) config.push("insecure");
  for (const [name, value] of Object.entries(options.headers ?? {}))
    config.push(`header = "${name}: ${String(value)}"`);
  const file = join(folder, "curl.config");
  await writeFile(file, `${config.join("\n")}\n`, { mode: 0o600 });
  return ["--config", file, new URL(path, cluster.server).href];
}
