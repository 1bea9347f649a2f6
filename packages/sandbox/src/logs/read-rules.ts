import type { LogRecord } from "./cri.ts";

export interface ReadRules {
  timestamps: boolean;
  /** Records before it are left out, each by its own time; as {@link LogRecord.time}. */
  since: string | undefined;
  limitBytes: number | undefined;
}

/**
 * Makes the text of a log answer out of records, as the kubelet does (k8s.io/cri-client, pkg/logs/logs.go): records of one
 * line are joined under the first one's time. One flag says for stdout and stderr together whether a line begins, so an
 * unfinished line of one is glued to the next of the other.
 */
export class LogFormatter {
  readonly #rules: ReadRules;
  #lineBegins = true;
  #written = 0;

  constructor(rules: ReadRules) {
    this.#rules = rules;
  }

  /** True once `limitBytes` are written. */
  get full(): boolean {
    return this.#rules.limitBytes !== undefined && this.#written >= this.#rules.limitBytes;
  }

  /** The bytes that a record adds, perhaps none. */
  push(record: LogRecord): Buffer {
    const { since, timestamps, limitBytes } = this.#rules;
    const begins = this.#lineBegins;
    this.#lineBegins = !record.partial || record.content.length === 0;
    if (since !== undefined && record.time < since) return Buffer.alloc(0);
    const parts = [record.content];
    if (timestamps && begins) parts.unshift(Buffer.from(`${record.time} `));
    if (!record.partial) parts.push(Buffer.from("\n"));
    const bytes = Buffer.concat(parts);
    const kept = limitBytes === undefined ? bytes : bytes.subarray(0, limitBytes - this.#written);
    this.#written += kept.length;
    return kept;
  }
}
