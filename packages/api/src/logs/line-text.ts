import { isUtf8 } from "node:buffer";

export interface LineText {
  /** What is no UTF-8 is U+FFFD. */
  line: string;
  /** All bytes, where `line` does not hold them exactly. */
  base64: string | null;
}

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** A line's bytes as JSON can carry them. NUL stays; only invalid UTF-8 needs the bytes beside the text. */
export function lineText(bytes: Uint8Array): LineText {
  return { line: decoder.decode(bytes), base64: isUtf8(bytes) ? null : Buffer.from(bytes).toString("base64") };
}
