import { translateError } from "./failures.ts";

/** What a verb of the store answers, with its errors translated. */
export async function translated<T>(work: PromiseLike<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw translateError(error);
  }
}

export async function* translatedAll<T>(items: AsyncIterable<T>): AsyncGenerator<T> {
  try {
    yield* items;
  } catch (error) {
    throw translateError(error);
  }
}
