import { X509Certificate } from "node:crypto";
import { isIP } from "node:net";

/**
 * Whether a certificate bears one of the names in its subject alternative names; a common name does not count, as in Go
 * (crypto/x509, `VerifyHostname`).
 *
 * @param names - DNS names and IP addresses
 * @param der - the certificate
 */
export function bearsOneOf(names: readonly string[], der: Uint8Array): Error | undefined {
  const certificate = new X509Certificate(der);
  for (const name of names) {
    const borne =
      isIP(name) === 0
        ? certificate.checkHost(name, { subject: "never", partialWildcards: false })
        : certificate.checkIP(name);
    if (borne !== undefined) return undefined;
  }
  return new Error(`its certificate is for ${certificate.subjectAltName ?? "nobody"}, not for ${names.join(" or ")}`);
}
