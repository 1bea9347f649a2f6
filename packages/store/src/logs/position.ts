import type { StreamPosition } from "@tailrace/core";

/** A position as it is stored: JSON, with the bytes of unfinished lines in base64. */
export function writePosition(position: StreamPosition): object {
  if (position.source === "api") return position;
  const pending = position.pending.map((line) => ({ ...line, bytes: Buffer.from(line.bytes).toString("base64") }));
  return { ...position, pending };
}

type StoredPosition =
  | { source: "api" }
  | (Omit<Extract<StreamPosition, { source: "node" }>, "pending"> & {
      pending: { stderr: boolean; seconds: number; nanos: number; bytes: string }[];
    });

/** @param stored - what {@link writePosition} made */
export function readPosition(stored: unknown): StreamPosition {
  const position = stored as StoredPosition;
  if (position.source === "api") return position;
  const pending = position.pending.map((line) => ({
    ...line,
    bytes: new Uint8Array(Buffer.from(line.bytes, "base64")),
  }));
  return { ...position, pending };
}
