import { concat } from "./bytes.ts";

/** What becomes of bytes of one standard stream. */
export interface Piece {
  stderr: boolean;
  partial: boolean;
  text: Uint8Array;
}

/** containerd, `max_container_log_line_size`. */
const LIMIT = 16_384;

const LF = 0x0a;
const CR = 0x0d;

/** Cuts what a container writes into pieces, as containerd's logger does (containerd, internal/cri/io/logger.go). */
export class Runtime {
  readonly #open: [Uint8Array, Uint8Array] = [new Uint8Array(0), new Uint8Array(0)];

  write(stderr: boolean, bytes: Uint8Array): Piece[] {
    const slot = stderr ? 1 : 0;
    let rest = concat([this.#open[slot], bytes]);
    const pieces: Piece[] = [];
    for (let end = rest.indexOf(LF); end !== -1; end = rest.indexOf(LF)) {
      let text = rest.subarray(0, end > 0 && rest[end - 1] === CR ? end - 1 : end);
      for (; text.length > LIMIT; text = text.subarray(LIMIT))
        pieces.push({ stderr, partial: true, text: text.slice(0, LIMIT) });
      pieces.push({ stderr, partial: false, text: text.slice() });
      rest = rest.slice(end + 1);
    }
    // A CR at the end is kept back: an LF may follow.
    for (; rest.length - (rest.at(-1) === CR ? 1 : 0) > LIMIT; rest = rest.slice(LIMIT))
      pieces.push({ stderr, partial: true, text: rest.slice(0, LIMIT) });
    this.#open[slot] = rest;
    return pieces;
  }

  /** What is open is written as it is: the output ends here, or the logger is closed for a new one (`ReopenContainerLog`). */
  flush(): Piece[] {
    const pieces: Piece[] = [];
    for (const slot of [0, 1] as const) {
      if (this.#open[slot].length > 0) pieces.push({ stderr: slot === 1, partial: true, text: this.#open[slot] });
      this.#open[slot] = new Uint8Array(0);
    }
    return pieces;
  }
}
