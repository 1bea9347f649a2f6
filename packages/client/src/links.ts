import type { AppRouter, PublicRoot } from "@tailrace/api";
import type { HTTPLinkOptions, TRPCLink } from "@trpc/client";
import { observable } from "@trpc/server/observable";
import { TailraceClientError, toClientError } from "./error.ts";
import { readText, send, type Transport } from "./transport.ts";

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
export function checkedFetch(transport: Transport): Fetch {
  return async (input, init) => {
    const { response, signal } = await send(transport, input, init as RequestInit);
    const { origin } = transport;
    const { status } = response;
    const type = response.headers.get("content-type") ?? "no content type";
    if (!/^application\/json\b/i.test(type)) {
      await response.body?.cancel();
      const message = `${origin} answered ${status} with ${type} where JSON was expected`;
      throw new TailraceClientError("BAD_RESPONSE", message, { status });
    }
    const text = await readText(transport, response, signal);
    return { ok: response.ok, status, json: async () => JSON.parse(text) as unknown };
  };
}
