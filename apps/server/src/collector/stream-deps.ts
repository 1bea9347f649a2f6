import type { Chunk, Seal, StoredChunk } from "@tailrace/core";
import type { Logger } from "pino";
import type { Gate } from "../supervisor/gate.ts";
import type { Committer } from "./committer.ts";
import type { StreamAdmission } from "./stream-admission.ts";
import type { StreamSourceDeps } from "./stream-source.ts";
import type { OpenGap } from "./stream-writer.ts";

/** What the reading of a stream needs besides the stream. */
export interface StreamDeps extends StreamSourceDeps {
  storeChunk: (chunk: Chunk) => Promise<StoredChunk>;
  committer: Committer;
  admission: StreamAdmission;
  /** Lets few streams be compacted at once. */
  compactions: Gate;
  log: Logger;
  onGap: (gap: OpenGap) => void;
  onSealed: (seal: Seal) => void;
  /** Lines that another process read could not be joined. */
  onUnjoined: () => void;
  /** Told when another process has a stream: this one's lease is over. */
  onLost: () => void;
}
