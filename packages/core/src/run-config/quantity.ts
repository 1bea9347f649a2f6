const PATTERN =
  /^\+?(?<digits>\d{1,20})(?:\.(?<fraction>\d{0,9}))?(?:(?<suffix>[numkMGTPE]|[KMGTPE]i)|[eE](?<exponent>[+-]?\d{1,2}))?$/;

const DECIMAL = ["n", "u", "m", "", "k", "M", "G", "T", "P", "E"];
const BINARY = ["Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];

/**
 * Reads a quantity by the grammar of Kubernetes (`resource.Quantity`) where it is not negative: decimal and binary
 * suffixes, or a decimal exponent. Exact; null when it is none.
 *
 * @returns the quantity in units of 10⁻²⁷: 9 fraction digits of `n`, and exponents down to -18, stay whole numbers
 */
export function parseQuantity(text: string): bigint | null {
  const groups = PATTERN.exec(text)?.groups;
  if (groups === undefined) return null;
  const fraction = groups["fraction"] ?? "";
  const number = BigInt(groups["digits"]! + fraction);
  const suffix = groups["suffix"] ?? "";
  const binary = BINARY.indexOf(suffix);
  if (binary !== -1) return number * 1024n ** BigInt(binary + 1) * 10n ** BigInt(27 - fraction.length);
  const power = groups["exponent"] === undefined ? 3 * (DECIMAL.indexOf(suffix) - 3) : Number(groups["exponent"]);
  if (Math.abs(power) > 18) return null;
  return number * 10n ** BigInt(27 + power - fraction.length);
}

/** What a quantity of each resource may be; both ends are included. Below them lie slips like a memory of `512m`, half a byte. */
export const QUANTITY_LIMITS = {
  cpu: { least: "1m", most: "1024" },
  memory: { least: "1Mi", most: "16Ti" },
} as const;

export type ResourceName = keyof typeof QUANTITY_LIMITS;

export function isQuantityWithin(resource: ResourceName, text: string): boolean {
  const value = parseQuantity(text);
  const { least, most } = QUANTITY_LIMITS[resource];
  return value !== null && value >= parseQuantity(least)! && value <= parseQuantity(most)!;
}

/** True when both are quantities and the first is greater. */
export function isQuantityAbove(left: string, right: string): boolean {
  const [a, b] = [parseQuantity(left), parseQuantity(right)];
  return a !== null && b !== null && a > b;
}
