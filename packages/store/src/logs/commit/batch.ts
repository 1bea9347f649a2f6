import type { StoredChunk, StreamCommit } from "@tailrace/core";
import { writePosition } from "../position.ts";

/** What one statement is given: three lists of rows as JSON, and the data of all chunks behind one another. */
export interface Batch {
  streams: string;
  chunks: string;
  gaps: string;
  data: Buffer;
}

/** @throws RangeError for commits that are none: a stream twice under one fencing number, or chunks that don't follow one another */
export function makeBatch(commits: readonly StreamCommit[]): Batch {
  const seen = new Set<string>();
  for (const commit of commits) {
    const key = commitKey(commit.stream.id, commit.fence);
    if (seen.has(key)) throw new RangeError(`stream ${commit.stream.id} is in one batch twice`);
    seen.add(key);
    checkOrder(commit);
  }
  const data: Uint8Array[] = [];
  let start = 1;
  const chunks = commits.flatMap((commit) =>
    commit.chunks.map((chunk) => {
      data.push(chunk.data);
      const row = {
        stream_id: commit.stream.id,
        fence: commit.fence,
        ...chunkRow(chunk),
        start,
        size: chunk.data.length,
      };
      start += chunk.data.length;
      return row;
    }),
  );
  return {
    streams: JSON.stringify(commits.map(streamRow)),
    chunks: JSON.stringify(chunks),
    gaps: JSON.stringify(commits.flatMap(gapRows)),
    data: Buffer.concat(data),
  };
}

export function commitKey(streamId: number | string, fence: number | string): string {
  return `${streamId}/${fence}`;
}

/** How many lines a commit adds. */
export function countLines({ chunks }: Pick<StreamCommit, "chunks">): number {
  return chunks.reduce((sum, chunk) => sum + chunk.lines, 0);
}

/** The columns of `log_chunks` but for the stream's and the data; a bigint is a string. */
export function chunkRow(chunk: StoredChunk) {
  return {
    first_seq: chunk.firstSeq,
    lines: chunk.lines,
    line_bytes: chunk.lineBytes,
    time_bytes: chunk.timeBytes,
    payload_bytes: chunk.payloadBytes,
    output_bytes: chunk.outputBytes,
    first_time: String(chunk.firstTime),
    min_time: String(chunk.minTime),
    max_time: String(chunk.maxTime),
    prior_time: String(chunk.priorTime),
    levels: chunk.levels,
    standard_streams: chunk.standardStreams,
    codec: chunk.codec,
    checksum: chunk.checksum,
  };
}

function checkOrder({ stream, firstSeq, chunks }: StreamCommit): void {
  let next = firstSeq;
  for (const chunk of chunks) {
    if (chunk.firstSeq !== next)
      throw new RangeError(`a chunk of stream ${stream.id} begins at ${chunk.firstSeq}, not at ${next}`);
    next += chunk.lines;
  }
}

function streamRow(commit: StreamCommit) {
  const maxTime = commit.chunks.reduce<bigint | null>(
    (max, chunk) => (max === null || chunk.maxTime > max ? chunk.maxTime : max),
    null,
  );
  return {
    id: commit.stream.id,
    fence: commit.fence,
    first_seq: commit.firstSeq,
    lines: countLines(commit),
    output_bytes: commit.chunks.reduce((sum, chunk) => sum + chunk.outputBytes, 0),
    max_time: maxTime === null ? null : String(maxTime),
    position: writePosition(commit.position),
    counts: commit.counts,
  };
}

function gapRows({ stream, fence, gaps }: StreamCommit) {
  return gaps.map((gap) => ({
    stream_id: stream.id,
    fence,
    seq: gap.seq,
    reason: gap.reason,
    certain: gap.certain,
    from_time: gap.from === null ? null : String(gap.from),
    until_time: gap.until === null ? null : String(gap.until),
  }));
}
