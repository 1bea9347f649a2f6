/**
 * For the `catch` of what waits with an AbortSignal.
 *
 * @throws the error when it is not that the signal was aborted
 */
export function ignoreAbort(error: unknown): void {
  if (!(error instanceof Error && error.name === "AbortError")) throw error;
}
