import { once } from "node:events";
import type { ServerResponse } from "node:http";
import { setTimeout as delay } from "node:timers/promises";
import { ignoreAbort } from "../abort.ts";
import type { FaultQueue, RequestFault } from "../faults.ts";

/** What an answer needs to know of its request's fate. */
export interface Exchange {
  response: ServerResponse;
  /** What is to go wrong. */
  fault: RequestFault | undefined;
  /** Resets the connection. */
  reset: () => void;
  faults: FaultQueue;
  /** Aborts when the client has left. */
  left: AbortSignal;
}

/** What a request begins with. */
export function exchange(response: ServerResponse, rest: Pick<Exchange, "fault" | "reset" | "faults">): Exchange {
  const left = new AbortController();
  response.once("close", () => left.abort());
  return { ...rest, response, left: left.signal };
}

/** Waits as long as the fault says. @returns false when the client has left meanwhile */
export async function waitBefore({ fault, left }: Exchange): Promise<boolean> {
  if (fault?.delayMs !== undefined) await delay(fault.delayMs, undefined, { signal: left }).catch(ignoreAbort);
  return !left.aborted;
}

/** Writes a log's body with backpressure, and lets what is to go wrong with it go wrong. */
export class Body {
  readonly #exchange: Exchange;
  readonly #limits: { at: number; what: "cut" | "end" | "stall" }[];
  #written = 0;

  constructor(exchange: Exchange) {
    const { cutAfter, endAfter, stallAfter } = exchange.fault ?? {};
    this.#exchange = exchange;
    this.#limits = [
      { at: cutAfter, what: "cut" as const },
      { at: endAfter, what: "end" as const },
      { at: stallAfter, what: "stall" as const },
    ]
      .filter((limit): limit is typeof limit & { at: number } => limit.at !== undefined)
      .toSorted((a, b) => a.at - b.at);
  }

  /**
   * Resolves when there is room for more.
   *
   * @param chunk - may not be changed before the response is finished
   * @returns false when no more is wanted
   */
  async write(chunk: Buffer): Promise<boolean> {
    const { response, left, reset, faults } = this.#exchange;
    let rest = chunk;
    while (!left.aborted) {
      const [limit] = this.#limits;
      const room = limit === undefined ? Infinity : limit.at - this.#written;
      if (rest.length < room) {
        this.#written += rest.length;
        if (!response.write(rest)) await once(response, "drain", { signal: left }).catch(ignoreAbort);
        return !left.aborted;
      }
      const piece = rest.subarray(0, room);
      rest = rest.subarray(room);
      this.#written += piece.length;
      // What was not handed to the system is lost with the connection.
      await flushed(response, piece, left);
      this.#limits.shift();
      if (limit!.what === "stall") await faults.cleared(left);
      else {
        if (limit!.what === "cut") reset();
        else response.end();
        return false;
      }
    }
    return false;
  }
}

function flushed(response: ServerResponse, piece: Buffer, left: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    left.addEventListener("abort", () => resolve(), { once: true });
    response.write(piece, () => resolve());
  });
}
