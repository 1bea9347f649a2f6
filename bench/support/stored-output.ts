import { createHash } from "node:crypto";
import { zstdDecompressSync } from "node:zlib";
import { Client } from "pg";

/** What a container wrote, added up. */
export interface OutputSum {
  lines: number;
  bytes: number;
  sha256: string;
}

/**
 * Adds up the lines of a stream from its rows; knows of the collector's code no more than the rows' form.
 *
 * @param each - given the lines of each chunk, in order
 */
export async function readStoredOutput(
  databaseUrl: string,
  streamId: number,
  each: (lines: Buffer) => Promise<void> = async () => undefined,
): Promise<OutputSum> {
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    const { rows: chunks } = await client.query<{ first_seq: string }>(
      "select first_seq from log_chunks where stream_id = $1 order by first_seq",
      [streamId],
    );
    const hash = createHash("sha256");
    let lines = 0;
    let bytes = 0;
    for (const { first_seq } of chunks) {
      if (Number(first_seq) !== lines) throw new Error(`a chunk begins at line ${first_seq} in the place of ${lines}`);
      const { rows } = await client.query<{ lines: number; line_bytes: number; codec: string; data: Buffer }>(
        "select lines, line_bytes, codec, data from log_chunks where stream_id = $1 and first_seq = $2",
        [streamId, first_seq],
      );
      const [row] = rows;
      const payload = row!.codec === "zstd" ? zstdDecompressSync(row!.data) : row!.data;
      const piece = payload.subarray(0, row!.line_bytes);
      hash.update(piece);
      await each(piece);
      lines += row!.lines;
      bytes += row!.line_bytes;
    }
    return { lines, bytes, sha256: hash.digest("hex") };
  } finally {
    await client.end();
  }
}
