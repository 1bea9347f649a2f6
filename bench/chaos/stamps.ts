const NANOS = 1_000_000_000;

/** How far behind the clock a record's time may be: stdout and stderr are stamped by two writers. */
const DISORDER_NANOS = 40_000_000;

/** Of the records, which share takes the time of the one before, and which an older one. */
const REPEATED = 0.15;
const DISORDERED = 0.1;

/** Times for the records of one container: out of order, repeated, and where it is asked for later than all before. */
export class Stamps {
  readonly #random: () => number;
  #seconds = 0;
  #nanos = 0;
  #maxSeconds = 0;
  #maxNanos = 0;
  #freshSeconds = 0;
  #freshNanos = 0;
  #text = "";
  #textSeconds = -1;
  #fresh = false;

  constructor(random: () => number) {
    this.#random = random;
  }

  /** The time of the last record that was asked to be later than all before, in nanoseconds since the epoch. */
  get freshest(): bigint {
    return BigInt(this.#freshSeconds) * BigInt(NANOS) + BigInt(this.#freshNanos);
  }

  /** The next record's time is to be later than that of every record before. */
  freshen(): void {
    this.#fresh = true;
  }

  /** As the sandbox asks for each record's. */
  readonly next = (): string => {
    const draw = this.#random();
    if (this.#fresh) this.#take(0);
    else if (draw >= REPEATED) this.#take(draw < REPEATED + DISORDERED ? this.#random() * DISORDER_NANOS : 0);
    if (this.#fresh) this.#takeLatest();
    if (this.#isLatest()) {
      this.#maxSeconds = this.#seconds;
      this.#maxNanos = this.#nanos;
    }
    return this.#format();
  };

  #take(behindNanos: number): void {
    const ms = performance.timeOrigin + performance.now();
    this.#seconds = Math.floor(ms / 1000);
    this.#nanos = Math.floor((ms - this.#seconds * 1000) * 1_000_000 - behindNanos);
    if (this.#nanos >= 0) return;
    this.#seconds -= 1;
    this.#nanos += NANOS;
  }

  #isLatest(): boolean {
    return this.#seconds > this.#maxSeconds || (this.#seconds === this.#maxSeconds && this.#nanos > this.#maxNanos);
  }

  #takeLatest(): void {
    this.#fresh = false;
    if (!this.#isLatest()) {
      const carried = this.#maxNanos + 1 === NANOS;
      this.#seconds = this.#maxSeconds + (carried ? 1 : 0);
      this.#nanos = carried ? 0 : this.#maxNanos + 1;
    }
    this.#freshSeconds = this.#seconds;
    this.#freshNanos = this.#nanos;
  }

  #format(): string {
    if (this.#textSeconds !== this.#seconds) {
      this.#textSeconds = this.#seconds;
      this.#text = new Date(this.#seconds * 1000).toISOString().slice(0, 20);
    }
    return `${this.#text}${String(this.#nanos).padStart(9, "0")}Z`;
  }
}
