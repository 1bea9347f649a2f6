/** Ctrl-C: the first one asks for the run's end, the second for the end of following it. */
export interface Interrupts extends Disposable {
  readonly stop: AbortSignal;
  readonly detach: AbortSignal;
}

/** @param listen - calls back for each Ctrl-C until the function that it returns is called */
export function countInterrupts(listen: (listener: () => void) => () => void): Interrupts {
  const stop = new AbortController();
  const detach = new AbortController();
  const unlisten = listen(() => (stop.signal.aborted ? detach : stop).abort());
  return { stop: stop.signal, detach: detach.signal, [Symbol.dispose]: unlisten };
}
