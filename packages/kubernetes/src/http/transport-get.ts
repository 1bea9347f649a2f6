import { ClusterError, type Flow } from "@tailrace/core";
import { Deadline } from "../deadline.ts";
import type { Transport } from "../transport.ts";
import { abortFailure, ExchangeError } from "./failure.ts";
import type { GetLimits, GetRequest, OnHead } from "./get.ts";
import { withTimeouts } from "./timeouts.ts";

/**
 * A GET as {@link HttpClient} does it, over the transport: slower, but through the proxy that a kubeconfig may name.
 * Rejects with ClusterError where there was no answer.
 */
export function getOverTransport(
  transport: Transport,
  request: GetRequest,
  onHead: OnHead,
  limits: GetLimits,
): Promise<void> {
  return withTimeouts(limits, onHead, (timed, signal) => get(transport, request, timed, signal));
}

async function get(transport: Transport, request: GetRequest, onHead: OnHead, outer: AbortSignal): Promise<void> {
  using ending = new Deadline(outer);
  const { signal } = ending;
  let paused: PromiseWithResolvers<void> | undefined;
  const flow: Flow = {
    resume: () => paused?.resolve(),
    stop: () => ending.abort(new ExchangeError("stopped", "the reading was stopped")),
  };
  signal.addEventListener("abort", () => flow.resume());
  let answered = false;
  try {
    const { status, headers, body } = await transport.open({ method: "GET", ...request }, signal);
    answered = true;
    const take = onHead({ status, headers: singleHeaders(headers) });
    for await (const chunk of body) {
      if (take(chunk, flow) || signal.aborted) continue;
      paused = Promise.withResolvers<void>();
      await paused.promise;
    }
  } catch (error) {
    if (signal.aborted) throw abortFailure(signal);
    flow.stop();
    const cut = answered && error instanceof ClusterError && error.code === "network";
    throw cut ? new ExchangeError("reset", "the answer was cut", { cause: error }) : error;
  }
}

function singleHeaders(headers: NodeJS.Dict<string | string[]>): Record<string, string> {
  const entries = Object.entries(headers).map(([name, value]): [string, string] => [name, String(value)]);
  return Object.fromEntries(entries);
}
