import type { TakeBytes } from "@tailrace/core";
import type { AnswerHead } from "./response-head.ts";

export interface GetRequest {
  /** Percent-encoded, with the query. */
  path: string;
  headers: Readonly<Record<string, string>>;
}

/** Looks at an answer's head and says who takes the body. What either of them throws ends the exchange and rejects it. */
export type OnHead = (head: AnswerHead) => TakeBytes;

export interface GetLimits {
  signal: AbortSignal;
  /** From the request, or from the beginning of the connection that is made for it, to the answer's head, in milliseconds. */
  headMs: number;
  /** The longest time without content, while it is not paused, in milliseconds. */
  silenceMs: number;
}

/** What a request is called in errors. */
export function describeGet(path: string): string {
  return `GET ${path.split("?", 1)[0]}`;
}
