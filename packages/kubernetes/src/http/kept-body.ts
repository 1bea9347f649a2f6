import type { TakeBytes } from "@tailrace/core";
import { ExchangeError } from "./failure.ts";
import type { OnHead } from "./get.ts";
import type { AnswerHead } from "./response-head.ts";

/** Keeps a body up to a limit, and stops the reading beyond. */
export class KeptBody {
  /** True when the body was longer. */
  cut = false;
  readonly #chunks: Buffer[] = [];
  #room: number;

  constructor(limit: number) {
    this.#room = limit;
  }

  readonly take: TakeBytes = (bytes, flow) => {
    this.cut = bytes.length > this.#room;
    const kept = Buffer.from(bytes.subarray(0, this.#room));
    this.#chunks.push(kept);
    this.#room -= kept.length;
    if (this.cut) flow.stop();
    return true;
  };

  bytes(): Buffer {
    return Buffer.concat(this.#chunks);
  }
}

/** An answer other than the wanted one. */
export interface Refusal {
  head: AnswerHead;
  /** Its first 64 KiB. */
  body: Buffer;
}

/** An error's JSON is much shorter. */
const MAX_REFUSAL_BYTES = 64 * 1024;

/**
 * Sends a GET whose body goes to a taker where the answer is a wanted one.
 *
 * @param wanted - null where it is not; what it throws is passed on
 * @returns null after a wanted one
 */
export async function getWanted(
  send: (onHead: OnHead) => Promise<void>,
  wanted: (head: AnswerHead) => TakeBytes | null,
): Promise<Refusal | null> {
  let refused: { head: AnswerHead; kept: KeptBody } | undefined;
  const onHead: OnHead = (head) => {
    const take = wanted(head);
    if (take !== null) return take;
    refused = { head, kept: new KeptBody(MAX_REFUSAL_BYTES) };
    return refused.kept.take;
  };
  try {
    await send(onHead);
  } catch (error) {
    if (refused?.kept.cut !== true || !wasStopped(error)) throw error;
  }
  return refused === undefined ? null : { head: refused.head, body: refused.kept.bytes() };
}

export function wasStopped(error: unknown): boolean {
  return error instanceof ExchangeError && error.reason === "stopped";
}
