/** What is used of an output stream. */
export interface Output {
  write(text: string): unknown;
  isTTY?: boolean | undefined;
  columns?: number | undefined;
}

const CLEAR_LINE = "\r\x1b[K";
const DEFAULT_COLUMNS = 80;

/** Log lines on one stream, what is said about them on another, and there, on a terminal, one status line kept at the bottom. */
export interface Screen extends Disposable {
  /** Lines of the command's own result. */
  line(...texts: string[]): void;
  /** Lines about it. */
  note(...texts: string[]): void;
  /** Replaces the status line; without a terminal nothing is shown. */
  status(render: (columns: number) => string): void;
  readonly hasStatus: boolean;
}

export function createScreen(stdout: Output, stderr: Output): Screen {
  const hasStatus = stderr.isTTY === true;
  let shown = "";
  const clear = (): void => {
    if (shown !== "") stderr.write(CLEAR_LINE);
  };
  const above = (output: Output, texts: readonly string[]): void => {
    if (texts.length === 0) return;
    clear();
    output.write(texts.map((text) => `${text}\n`).join(""));
    if (shown !== "") stderr.write(shown);
  };
  return {
    hasStatus,
    line: (...texts) => above(stdout, texts),
    note: (...texts) => above(stderr, texts),
    status: (render) => {
      if (!hasStatus) return;
      clear();
      // The last column stays free: some terminals wrap as soon as it is filled.
      shown = render((stderr.columns ?? DEFAULT_COLUMNS) - 1);
      stderr.write(shown);
    },
    [Symbol.dispose]: () => {
      clear();
      shown = "";
    },
  };
}
