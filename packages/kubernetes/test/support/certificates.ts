import { generate } from "selfsigned";

export interface KeyPair {
  key: string;
  cert: string;
}

/** What a certificate names: DNS names and IP addresses. */
interface Names {
  dns?: string[];
  ip?: string[];
}

const COMMON = { keyType: "ec", algorithm: "sha256" } as const;

export async function makeAuthority(name = "test CA"): Promise<KeyPair> {
  const made = await generate([{ name: "commonName", value: name }], {
    ...COMMON,
    extensions: [
      { name: "basicConstraints", cA: true, critical: true },
      { name: "keyUsage", keyCertSign: true, cRLSign: true, critical: true },
    ],
  });
  return { key: made.private, cert: made.cert };
}

/** A certificate for a server or a client, signed by the authority or, without one, by itself. */
export async function makeCertificate(commonName: string, names: Names, ca?: KeyPair): Promise<KeyPair> {
  const dns = (names.dns ?? []).map((value) => ({ type: 2 as const, value }));
  const ip = (names.ip ?? []).map((address) => ({ type: 7 as const, ip: address }));
  const altNames = [...dns, ...ip];
  const made = await generate([{ name: "commonName", value: commonName }], {
    ...COMMON,
    ...(ca !== undefined && { ca }),
    extensions: [
      { name: "basicConstraints", cA: false },
      { name: "extKeyUsage", serverAuth: true, clientAuth: true },
      ...(altNames.length === 0 ? [] : [{ name: "subjectAltName" as const, altNames }]),
    ],
  });
  return { key: made.private, cert: made.cert };
}

export function base64(pem: string): string {
  return Buffer.from(pem).toString("base64");
}
