import type { AppRouter, PublicRoot } from "@tailrace/api";
import type { HTTPLinkOptions, TRPCLink } from "@trpc/client";
import { observable } from "@trpc/server/observable";
import { TailraceClientError, toClientError } from "./error.ts";

/** Lets every failure reach the caller as a {@link TailraceClientError}. */
export function errorLink(clientSignal: AbortSignal | undefined): TRPCLink<AppRouter> {
  return () =>
    ({ op, next }) =>
      observable((observer) =>
        next(op).subscribe({
          next: (value) => observer.next(value),
          error: (error) =>
            observer.error(toClientError(error, op.signal?.aborted === true || clientSignal?.aborted === true)),
          complete: () => observer.complete(),
        }),
      );
}

/** `fetch` as tRPC's links take it. */
type Fetch = NonNullable<HTTPLinkOptions<PublicRoot>["fetch"]>;

/** A `fetch` that says which server could not be reached, and refuses what is no JSON before it is parsed. */
export function checkedFetch(
  fetch: typeof globalThis.fetch,
  origin: string,
  clientSignal: AbortSignal | undefined,
): Fetch {
  return async (input, init) => {
    const signals = [init?.signal, clientSignal].filter((signal) => signal !== undefined && signal !== null);
    const signal = AbortSignal.any(signals);
    const response = await fetch(input, { ...init, signal }).catch((cause: unknown) => {
      if (signal.aborted) throw cause;
      throw new TailraceClientError("NETWORK", `could not reach ${origin}: ${reasonOf(cause)}`, causeOf(cause));
    });
    const type = response.headers.get("content-type") ?? "no content type";
    if (/^application\/json\b/i.test(type)) return response;
    await response.body?.cancel();
    throw new TailraceClientError(
      "BAD_RESPONSE",
      `${origin} answered ${response.status} with ${type} where JSON was expected`,
    );
  };
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
