import type { Transform } from "node:stream";
import { constants, createGzip, createZstdCompress } from "node:zlib";

export type ContentCoding = "zstd" | "gzip" | "identity";

/** The best first, where a client takes several equally. */
const CODINGS = ["zstd", "gzip", "identity"] as const satisfies readonly ContentCoding[];

/** Less than any that a client can give. */
const LEAST_WEIGHT = 0.0001;

/**
 * The coding of an answer by the request's `Accept-Encoding` (RFC 9110, 12.5.3): the one with the greatest weight. What
 * the client does not name it does not want, but for `identity`. A client that takes none of them gets `identity`.
 */
export function chooseCoding(acceptEncoding: string | undefined): ContentCoding {
  const weights = new Map<string, number>();
  for (const part of (acceptEncoding ?? "").toLowerCase().split(",")) {
    const [, coding, weight = "1"] = /^\s*([a-z0-9*_-]+)\s*(?:;\s*q\s*=\s*([01](?:\.\d{0,3})?))?\s*$/.exec(part) ?? [];
    if (coding !== undefined) weights.set(coding === "x-gzip" ? "gzip" : coding, Number(weight));
  }
  const weightOf = (coding: ContentCoding): number =>
    weights.get(coding) ?? weights.get("*") ?? (coding === "identity" ? LEAST_WEIGHT : 0);
  const accepted = CODINGS.filter((coding) => weightOf(coding) > 0);
  return accepted.toSorted((a, b) => weightOf(b) - weightOf(a))[0] ?? "identity";
}

/** Compresses fast rather than well; null for no compression. */
export function encoder(coding: ContentCoding): Transform | null {
  switch (coding) {
    case "zstd":
      return createZstdCompress({ params: { [constants.ZSTD_c_compressionLevel]: 1 } });
    case "gzip":
      return createGzip({ level: 1 });
    case "identity":
      return null;
  }
}
