import type { Gap, Handover, StoredChunk, StreamCommit } from "@tailrace/core";
import { readPosition, writePosition } from "../position.ts";

/** A handover's lines and what belongs to them, as they are stored. */
export interface StoredContent {
  /** JSON. */
  content: string;
  data: Buffer;
}

type BigintAsText<T> = { [Key in keyof T]: bigint extends T[Key] ? Exclude<T[Key], bigint> | string : T[Key] };

interface Content {
  chunks: (BigintAsText<Omit<StoredChunk, "data">> & { size: number })[];
  gaps: BigintAsText<Gap>[];
  position: unknown;
  counts: StreamCommit["counts"];
}

export function writeContent(commit: Omit<StreamCommit, "fence">): StoredContent {
  const content = {
    chunks: commit.chunks.map(({ data, ...chunk }) => ({ ...chunk, size: data.length })),
    gaps: commit.gaps,
    position: writePosition(commit.position),
    counts: commit.counts,
  };
  const text = JSON.stringify(content, (_, value: unknown) => (typeof value === "bigint" ? String(value) : value));
  return { content: text, data: Buffer.concat(commit.chunks.map((chunk) => chunk.data)) };
}

/** @param content - the JSON that {@link writeContent} made, parsed */
export function readContent(content: unknown, data: Uint8Array): Omit<Handover["commit"], "firstSeq"> {
  const { chunks, gaps, position, counts } = content as Content;
  let at = 0;
  return {
    chunks: chunks.map(({ size, ...chunk }) => ({
      ...chunk,
      firstTime: BigInt(chunk.firstTime),
      minTime: BigInt(chunk.minTime),
      maxTime: BigInt(chunk.maxTime),
      priorTime: BigInt(chunk.priorTime),
      data: data.subarray(at, (at += size)),
    })),
    gaps: gaps.map((gap) => ({
      ...gap,
      from: gap.from === null ? null : BigInt(gap.from),
      until: gap.until === null ? null : BigInt(gap.until),
    })),
    position: readPosition(position),
    counts,
  };
}
