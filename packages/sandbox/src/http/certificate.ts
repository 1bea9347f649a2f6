import { generate } from "selfsigned";

export interface ServingCertificate {
  key: string;
  /** For 127.0.0.1. */
  cert: string;
  /** PEM of the authority that signed it, and nothing else. */
  ca: string;
}

const HOUR_MS = 3_600_000;
const VALID_MS = 30 * 24 * HOUR_MS;

/** A certificate for the kubelet's port, or for a proxy before it, by an authority of its own whose key is forgotten. */
export async function createServingCertificate(): Promise<ServingCertificate> {
  const validity = {
    notBeforeDate: new Date(Date.now() - HOUR_MS),
    notAfterDate: new Date(Date.now() + VALID_MS),
  };
  const kind = { keyType: "ec", algorithm: "sha256", ...validity } as const;
  const authority = await generate([{ name: "commonName", value: "sandbox-kubelet-ca" }], {
    ...kind,
    extensions: [
      { name: "basicConstraints", cA: true, critical: true },
      { name: "keyUsage", keyCertSign: true, critical: true },
    ],
  });
  const server = await generate([{ name: "commonName", value: "sandbox-node" }], {
    ...kind,
    ca: { key: authority.private, cert: authority.cert },
    extensions: [
      { name: "basicConstraints", cA: false, critical: true },
      { name: "keyUsage", digitalSignature: true, critical: true },
      { name: "extKeyUsage", serverAuth: true },
      { name: "subjectAltName", altNames: [{ type: 7, ip: "127.0.0.1" }] },
    ],
  });
  return { key: server.private, cert: server.cert, ca: `${authority.cert}\n` };
}
