import { containerTitle, sectionOf, type ReadContainer } from "@tailrace/core";
import type { Logger } from "pino";

/** Warns once for each container that can't be read and each reason, not at every reading. */
export class ReadWarnings {
  readonly #log: Logger;
  readonly #told = new Map<string, string>();

  constructor(log: Logger) {
    this.#log = log;
  }

  note(reads: readonly ReadContainer[]): void {
    for (const read of reads) {
      const section = sectionOf(read);
      const container = containerTitle(section);
      if (section.state !== "error") {
        this.#told.delete(container);
      } else if (this.#told.get(container) !== section.reason) {
        this.#told.set(container, section.reason!);
        this.#log.warn({ container, reason: section.reason }, "a container's log could not be read");
      }
    }
  }
}
