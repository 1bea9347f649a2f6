export interface WatchSettings {
  /**
   * A connected watch that says nothing for so long is opened again where it was. The API server sends a bookmark every
   * minute, to a new watch the first after two: a watch that is quiet and new is reopened in vain, which costs one
   * request. (Default: 90,000)
   */
  inactivityMs: number;
  /** After about so long everything is listed again, in case an event was missed. (Default: 600,000) */
  relistMs: number;
  /** How long the server is asked to keep one watch open, ± 20 %. (Default: 300) */
  timeoutSeconds: number;
  /** The wait after a first failure, doubled with each further one. (Default: 250) */
  backoffMs: number;
  /** The longest wait between two attempts. (Default: 10,000) */
  maxBackoffMs: number;
}

export const DEFAULT_WATCH_SETTINGS: WatchSettings = {
  inactivityMs: 90_000,
  relistMs: 600_000,
  timeoutSeconds: 300,
  backoffMs: 250,
  maxBackoffMs: 10_000,
};

/** @param random - from 0 to 1 @returns `value` ± 20 % */
export function jitter(value: number, random: number): number {
  return value * (0.8 + 0.4 * random);
}
