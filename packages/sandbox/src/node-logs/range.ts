/** What a `Range` header asks of a file. */
export type RangeAnswer =
  /** The whole file. */
  | { kind: "whole" }
  | { kind: "part"; start: number; length: number }
  /** 416: it is malformed. */
  | { kind: "invalid" }
  /** 416: it begins behind the end. */
  | { kind: "beyond" };

const INTEGER = /^[+-]?\d+$/;

/**
 * Reads a `Range` header as Go does (net/http, parseRange and serveContent). Of several ranges none is served: the whole
 * file comes, where Go would send a multipart body.
 */
export function parseRange(header: string | undefined, size: number): RangeAnswer {
  if (header === undefined || header === "") return { kind: "whole" };
  if (!header.startsWith("bytes=")) return { kind: "invalid" };
  const specs = header
    .slice("bytes=".length)
    .split(",")
    .map((spec) => spec.trim())
    .filter((spec) => spec !== "");
  const ranges = specs.map((spec) => parseOne(spec, size));
  if (ranges.some(({ kind }) => kind === "invalid")) return { kind: "invalid" };
  const parts = ranges.filter(({ kind }) => kind === "part");
  if (ranges.length > 0 && parts.length === 0) return size === 0 ? { kind: "whole" } : { kind: "beyond" };
  return parts.length === 1 ? parts[0]! : { kind: "whole" };
}

function parseOne(spec: string, size: number): RangeAnswer {
  const dash = spec.indexOf("-");
  if (dash === -1) return { kind: "invalid" };
  const first = spec.slice(0, dash).trim();
  const last = spec.slice(dash + 1).trim();
  if (first === "") {
    if (!INTEGER.test(last) || last.startsWith("-")) return { kind: "invalid" };
    const length = Math.min(size, Number(last));
    return { kind: "part", start: size - length, length };
  }
  const start = Number(first);
  if (!INTEGER.test(first) || start < 0) return { kind: "invalid" };
  if (start >= size) return { kind: "beyond" };
  if (last === "") return { kind: "part", start, length: size - start };
  const end = Number(last);
  if (!INTEGER.test(last) || end < start) return { kind: "invalid" };
  return { kind: "part", start, length: Math.min(end, size - 1) - start + 1 };
}
