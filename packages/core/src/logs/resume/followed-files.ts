/**
 * The shortest time that a file is the current one: the kubelet looks every 3 s at the most (validation of
 * `containerLogMonitorInterval`), and has been seen to rotate 2.7 s after the last time, because it compresses in between.
 * Less by a second that the clocks may differ.
 */
const ROTATION_SECONDS = 1.5;

/** No kubelet is set up to rotate logs that are smaller. */
const SMALLEST_FILE_BYTES = 256 * 1024;

/** Smaller steps back are those of stdout and stderr, which have a writer each; larger ones may be. */
const BACK_SECONDS = 0.01;

/** A line that came so long after the one before it, and not late, was waited for. */
const WAIT_SECONDS = 0.1;
const PROMPT_SECONDS = 1;

/** What is still written into a file when the new one is there already comes within this time. */
const LAST_WRITE_SECONDS = 1.5;

/** How a line follows the one before it. */
export type Step =
  | "on"
  /** Files may have been left out between the two. */
  | "ahead"
  /** A file may be given once more; or the two are of stdout and stderr. */
  | "back";

/** When a line was written, and received. */
interface FollowedLine {
  time: number;
  receivedAt: number;
}

/**
 * Notices where a followed answer may have gone over to another file than the next one. The kubelet's reader (cri-client,
 * pkg/logs/logs.go) does so in two ways, with nothing in the answer to show it:
 *
 * - It hears of a new file, but reads the old one to its end first, and then opens the one that is the current one by then.
 *   If it is behind by more than one rotation, it leaves files out, and then gives the last one once for each rotation.
 * - It listens only from its first end of file on. A rotation before that leaves it at the old file until the next one.
 *
 * Both take more than the time between two rotations, so they show in the times of lines. The second is over when a line has
 * come for which it had waited.
 */
export class FollowedFiles {
  /** About how many bytes the container has written. */
  written: number;
  #follow = false;
  #openedAt = 0;
  #previous: FollowedLine | null = null;
  #waitedAt: number | null = null;
  #listens = false;

  constructor(written: number) {
    this.written = written;
  }

  /** True while the answer may stand still at a file that is not the current one any more. */
  get mayBeStuck(): boolean {
    return this.#follow && !this.#listens && this.written >= SMALLEST_FILE_BYTES;
  }

  begin(nowSeconds: number, follow: boolean): void {
    this.#follow = follow;
    this.#openedAt = nowSeconds;
    this.#previous = null;
    this.#waitedAt = null;
    this.#listens = false;
  }

  /** Takes the time of the answer's next line, in seconds since the epoch. */
  step(time: number, nowSeconds: number): Step {
    const line = { time, receivedAt: nowSeconds };
    const previous = this.#previous;
    this.#previous = line;
    if (previous === null) return "on";
    const step = this.#step(previous, line);
    if (!this.#listens) this.#noteWait(previous, line);
    return step;
  }

  /**
   * True when a line of this time may be none that was written: the front of one at the end of a file, and the rest of
   * another one at the beginning of a file behind the next. Whether files were left out shows at the line behind it.
   */
  mayBeSpliced(time: number, nowSeconds: number): boolean {
    return this.#mayHaveJumped(nowSeconds) && nowSeconds - time >= ROTATION_SECONDS;
  }

  #mayHaveJumped(nowSeconds: number): boolean {
    const rotates = this.#follow && this.written >= SMALLEST_FILE_BYTES;
    return rotates && nowSeconds - this.#openedAt >= ROTATION_SECONDS;
  }

  #step(previous: FollowedLine, { time, receivedAt }: FollowedLine): Step {
    if (!this.#mayHaveJumped(receivedAt)) return "on";
    const after = time - previous.time;
    if (after < -BACK_SECONDS) return "back";
    const wasLate = previous.receivedAt - previous.time >= ROTATION_SECONDS;
    return after >= ROTATION_SECONDS && (wasLate || !this.#listens) ? "ahead" : "on";
  }

  #noteWait(previous: FollowedLine, { time, receivedAt }: FollowedLine): void {
    const waited = Math.min(time - previous.time, receivedAt - previous.receivedAt) >= WAIT_SECONDS;
    if (!waited || Math.abs(receivedAt - time) >= PROMPT_SECONDS) return;
    this.#waitedAt ??= receivedAt;
    this.#listens = receivedAt - this.#waitedAt >= LAST_WRITE_SECONDS;
  }
}
