/** Rows of text under heads; the first column stands left, the others right. */
export function formatTable(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = heads.map((head, column) => Math.max(head.length, ...rows.map((row) => (row[column] ?? "").length)));
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!)))
      .join("  ")
      .trimEnd();
  return [line(heads), line(widths.map((width) => "-".repeat(width))), ...rows.map(line)].join("\n") + "\n";
}

/** A number with so many digits behind the point; a dash for none. */
export function digits(value: number | null | undefined, behind: number): string {
  return value === null || value === undefined ? "-" : value.toFixed(behind);
}

/** A whole number with commas between thousands; a dash for none. */
export function whole(value: number | null | undefined): string {
  return value === null || value === undefined ? "-" : Math.round(value).toLocaleString("en-US");
}
