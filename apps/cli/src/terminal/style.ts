import picocolors from "picocolors";

/** Colours of one output stream; with `enabled` false each of them gives the text back as it is. */
export type Style = ReturnType<typeof picocolors.createColors>;

export function createStyle(enabled: boolean): Style {
  return picocolors.createColors(enabled);
}

/** Whether a stream gets colours. */
export function wantsColor(color: "auto" | "always" | "never", isTerminal: boolean): boolean {
  return color === "auto" ? isTerminal : color === "always";
}
