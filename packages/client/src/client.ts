import type { AppRouter } from "@tailrace/api";
import { type TRPCClient, createTRPCClient, httpBatchLink, httpLink, retryLink, splitLink } from "@trpc/client";
import { backoff } from "./backoff.ts";
import { isPassing } from "./error.ts";
import { checkedFetch, errorLink } from "./links.ts";
import { runVerbs, type RunVerbs } from "./runs/verbs.ts";
import { authorization, type Transport } from "./transport.ts";

/** How many calls the server takes in one batch. */
export const MAX_BATCH_ITEMS = 10;

/** Keeps a batch of queries below what servers and proxies take as one request line. */
const MAX_URL_LENGTH = 6000;

/** A query with a longer input, in the characters of an address, is sent as a body. */
const MAX_INPUT_LENGTH = 4000;

export interface ClientOptions {
  /** The server's origin, for example `https://tailrace.example.com` or `http://127.0.0.1:4173`. */
  url: string | URL;
  /** A team's token (`trc_…`) or the installation's admin token. (Default: none, for a server without authentication) */
  token?: string | undefined;
  /** What sends the requests. (Default: the global `fetch`) */
  fetch?: typeof globalThis.fetch | undefined;
  /** Ends every call of this client, those under way and later ones. A call's own signal is given as `{ signal }`. */
  signal?: AbortSignal | undefined;
  /**
   * How often a call that reads is made again, after a fifth of a second and each time twice that, when the server can't be
   * reached or has too much to do. (Default: 3)
   */
  retry?: number | undefined;
}

/**
 * The procedures of the API: `client.runs.get.query(…)` reads, `client.runs.create.mutate(…)` writes; and above them
 * `client.runs.start(…)`, which gives a handle of the run. Calls reject with `TailraceClientError`.
 */
export type TailraceClient = TRPCClient<AppRouter> & { runs: RunVerbs };

const RETRIES = 3;

/**
 * Makes a client. Nothing is sent before the first call. Queries of the same tick travel in one request; each mutation
 * has its own, so that the large ones meet the limits of one, and so has a query that is too long for an address or waits
 * for something to come.
 *
 * @throws TypeError when `url` is not an http(s) origin, or `token` can't be a header's value
 */
export function createClient(options: ClientOptions): TailraceClient {
  const origin = parseOrigin(options.url);
  // Without the value: it is a secret, and what it is missing from may be a log.
  if (options.token !== undefined && !/^[\x21-\x7e]+$/.test(options.token)) {
    throw new TypeError("token must be visible ASCII characters, without spaces and line breaks");
  }
  const transport: Transport = {
    origin,
    token: options.token,
    fetch: options.fetch ?? globalThis.fetch,
    signal: options.signal,
  };
  const trpc = makeProcedures(transport, options.retry ?? RETRIES);
  const runs = withOwn(trpc.runs, runVerbs(trpc, transport));
  return withOwn(trpc, { runs });
}

/** tRPC's clients are proxies, which can't be spread into another object. */
function withOwn<Client extends object, Own extends object>(client: Client, own: Own): Client & Own {
  return new Proxy(client, {
    get: (target, key): unknown => (Object.hasOwn(own, key) ? own[key as keyof Own] : Reflect.get(target, key)),
  }) as Client & Own;
}

function makeProcedures(transport: Transport, retries: number): TRPCClient<AppRouter> {
  const link = {
    url: `${transport.origin}/api/trpc`,
    fetch: checkedFetch(transport),
    headers: authorization(transport),
  };
  return createTRPCClient<AppRouter>({
    links: [
      retryLink({
        retry: ({ op, error, attempts }) => op.type === "query" && isPassing(error) && attempts <= retries,
        retryDelayMs: (attempt) => backoff(attempt - 1),
      }),
      errorLink(transport.signal),
      splitLink({
        condition: (op) => encodeURIComponent(JSON.stringify(op.input) ?? "").length > MAX_INPUT_LENGTH,
        true: httpLink({ ...link, methodOverride: "POST" }),
        false: splitLink({
          // A batch is answered when its last call is.
          condition: (op) => op.type === "mutation" || isWaiting(op.input),
          true: httpLink(link),
          false: httpBatchLink({ ...link, maxItems: MAX_BATCH_ITEMS, maxURLLength: MAX_URL_LENGTH }),
        }),
      }),
    ],
  });
}

/** True for a call that the server may hold until there is something to answer. */
function isWaiting(input: unknown): boolean {
  return typeof input === "object" && input !== null && "wait" in input && input.wait !== undefined;
}

function parseOrigin(url: string | URL): string {
  const text = String(url);
  const parsed = URL.canParse(text) ? new URL(text) : null;
  // Whatever follows the origin, a path or credentials, makes the two differ.
  if (parsed === null || !/^https?:$/.test(parsed.protocol) || parsed.href !== `${parsed.origin}/`) {
    throw new TypeError(
      `url must be an http or https origin such as http://127.0.0.1:4173, got ${JSON.stringify(text)}`,
    );
  }
  return parsed.origin;
}
