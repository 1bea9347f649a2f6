import type { Endpoint } from "../credentials.ts";
import type { Target, TlsTarget } from "./connect.ts";

/** The API server that a kubeconfig names, to be spoken to directly. */
export function apiServerTarget({ server, options }: Endpoint): Target {
  const { protocol, hostname, host, port } = new URL(server);
  const secure = protocol === "https:";
  return {
    host: hostname.replace(/^\[|\]$/g, ""),
    port: port === "" ? (secure ? 443 : 80) : Number(port),
    authority: host,
    tls: secure ? { trust: trustOf(options), identity: certificateOf(options) } : null,
  };
}

/** What a path is below, where the API server is not at its host's root. */
export function basePath({ server }: Endpoint): string {
  return new URL(server).pathname.replace(/\/$/, "");
}

/** The headers that say who asks. */
export function identityHeaders({ options: { headers, auth } }: Endpoint): Record<string, string> {
  const named: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers ?? {})) if (value !== undefined) named[name] = String(value);
  if (auth === null || auth === undefined || named["Authorization"] !== undefined) return named;
  return { ...named, Authorization: `Basic ${Buffer.from(auth).toString("base64")}` };
}

/** Whom the kubeconfig trusts to be the API server. */
function trustOf(options: Endpoint["options"]): TlsTarget["trust"] {
  return given(options, ["ca", "servername", "rejectUnauthorized"]);
}

/** The kubeconfig's client certificate. */
export function certificateOf(options: Endpoint["options"]): TlsTarget["identity"] {
  return given(options, ["cert", "key", "pfx", "passphrase"]);
}

function given<K extends keyof Endpoint["options"]>(options: Endpoint["options"], names: readonly K[]) {
  const present = names.filter((name) => options[name] !== undefined).map((name) => [name, options[name]]);
  return Object.fromEntries(present) as { [name in K]?: NonNullable<Endpoint["options"][name]> };
}
