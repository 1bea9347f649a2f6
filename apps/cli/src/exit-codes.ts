/** What the exit codes of `tailrace` mean. */
export const EXIT = {
  /** The runners ended; where a verdict was reached, it is `passed`. */
  ok: 0,
  /** The run ended in error, or with another verdict. */
  failed: 1,
  /** The command line, or a file that it names, is wrong. */
  usage: 2,
  /** The server could not be reached, or refused. */
  api: 3,
  /** `--timeout` passed. */
  timeout: 4,
  /** Ctrl-C. */
  interrupted: 130,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];
