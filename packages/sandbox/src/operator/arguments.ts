/** What a TestRun's `arguments` become. */
export interface ParsedArguments {
  /** For `k6 run`: every token. */
  run: string[];
  /** For `k6 archive`, which does not have all of them; still one shell string. */
  archive: string;
}

/** k6-operator, pkg/types/k6cli.go: flags that `k6 archive` does not get; the second list takes its value from the next token. */
const NOT_FOR_ARCHIVE = new Set(["--linger", "--no-usage-report", "-v", "--verbose"]);
const NOT_FOR_ARCHIVE_WITH_VALUE = new Set([
  "--out",
  "-o",
  "--log-output",
  "--user-agent",
  "--block-hostnames",
  "--blacklist-ip",
]);

/**
 * Splits at whitespace. A token that follows another one without a leading `-` in front of both is refused, as the
 * operator refuses it.
 *
 * @returns null when the arguments are refused
 */
export function parseArguments(text: string | undefined): ParsedArguments | null {
  const tokens = (text ?? "").split(/\s+/).filter((token) => token !== "");
  const archive: string[] = [];
  for (let at = 0; at < tokens.length; at++) {
    const flag = tokens[at]!;
    if (!flag.startsWith("-")) return null;
    const values: string[] = [];
    if (at + 1 < tokens.length && !tokens[at + 1]!.startsWith("-")) values.push(tokens[++at]!);
    const name = flag.split("=", 1)[0]!;
    const left = NOT_FOR_ARCHIVE.has(flag) || NOT_FOR_ARCHIVE_WITH_VALUE.has(flag) || name === "--log-output";
    if (!left) archive.push(flag, ...values);
  }
  return { run: tokens, archive: archive.join(" ") };
}
