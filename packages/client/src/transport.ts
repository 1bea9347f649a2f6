import { TailraceClientError } from "./error.ts";

/** How requests reach the server. */
export interface Transport {
  /** Without a slash at its end. */
  origin: string;
  token: string | undefined;
  fetch: typeof globalThis.fetch;
  /** Ends every request. */
  signal: AbortSignal | undefined;
}

/** Sends a request. @throws TailraceClientError NETWORK; the signal's reason where one has aborted it */
export async function send(
  { origin, fetch, signal: clientSignal }: Transport,
  input: string | URL | Request,
  init: RequestInit,
): Promise<{ response: Response; signal: AbortSignal }> {
  const signals = [init.signal, clientSignal].filter((signal) => signal !== undefined && signal !== null);
  const signal = AbortSignal.any(signals);
  try {
    return { response: await fetch(input, { ...init, signal }), signal };
  } catch (cause) {
    if (signal.aborted) throw cause;
    throw new TailraceClientError("NETWORK", `could not reach ${origin}: ${reasonOf(cause)}`, causeOf(cause));
  }
}

/** The whole of an answer. @throws as {@link send}; its connection may break on the way */
export async function readText({ origin }: Transport, response: Response, signal: AbortSignal): Promise<string> {
  try {
    return await response.text();
  } catch (cause) {
    if (signal.aborted) throw cause;
    throw new TailraceClientError("NETWORK", `the answer of ${origin} broke off: ${reasonOf(cause)}`, {
      status: response.status,
      ...causeOf(cause),
    });
  }
}

export function authorization({ token }: Transport): Record<string, string> {
  return token === undefined ? {} : { authorization: `Bearer ${token}` };
}

/** Node's fetch hides the reason in the cause. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const inner = error.cause instanceof Error ? error.cause : error;
  return inner.message === "" && "code" in inner ? String(inner.code) : inner.message;
}

function causeOf(error: unknown): { cause?: Error } {
  return error instanceof Error ? { cause: error } : {};
}
