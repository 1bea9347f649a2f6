/** What a body of pieces is watched with. */
export interface Watch {
  /** How long the reader may leave a piece before `onStall`, in milliseconds. */
  stallMs: number;
  onStall: () => void;
  /** Told of what the pieces fail with; it is thrown too. */
  onFailure: (error: unknown) => void;
}

/**
 * The same pieces, of which the first is there already.
 *
 * @throws what the first piece fails with
 */
export async function startReading<T>(pieces: AsyncIterable<T>, watch: Watch): Promise<AsyncIterable<T>> {
  const iterator = pieces[Symbol.asyncIterator]();
  return paced(await iterator.next(), iterator, watch);
}

async function* paced<T>(
  first: IteratorResult<T, unknown>,
  iterator: AsyncIterator<T, unknown>,
  { stallMs, onStall, onFailure }: Watch,
): AsyncGenerator<T> {
  let stall: NodeJS.Timeout | undefined;
  try {
    for (let next = first; next.done !== true; next = await nextOf(iterator, onFailure)) {
      stall = setTimeout(onStall, stallMs);
      yield next.value;
      clearTimeout(stall);
    }
  } finally {
    clearTimeout(stall);
    await iterator.return?.();
  }
}

async function nextOf<T>(
  iterator: AsyncIterator<T, unknown>,
  onFailure: Watch["onFailure"],
): Promise<IteratorResult<T, unknown>> {
  try {
    return await iterator.next();
  } catch (error) {
    onFailure(error);
    throw error;
  }
}
