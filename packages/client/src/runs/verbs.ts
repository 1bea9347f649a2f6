import type { AppRouter, RouterInputs } from "@tailrace/api";
import type { TRPCClient } from "@trpc/client";
import type { Transport } from "../transport.ts";
import { openRun, type RunHandle } from "./handle.ts";
import { persist, type Persistence } from "./persist.ts";

/** What `client.runs` has besides its procedures. */
export interface RunVerbs {
  /**
   * Starts a test run. Without an `idempotencyKey` it gets one of its own, so that it is started once also where the
   * request has to be sent again.
   */
  start(input: RouterInputs["runs"]["create"], options?: Persistence): Promise<RunHandle>;
  /** A run that was started before, by whomever. */
  open(run: { teamId: string; runId: string }): RunHandle;
}

export function runVerbs(trpc: TRPCClient<AppRouter>, transport: Transport): RunVerbs {
  const open = ({ teamId, runId }: { teamId: string; runId: string }): RunHandle =>
    openRun({ trpc, run: { teamId, runId }, signal: transport.signal }, transport);
  return {
    start: async (input, options = {}) => {
      const wanted = { ...input, idempotencyKey: input.idempotencyKey ?? randomKey() };
      const { id } = await persist((call) => trpc.runs.create.mutate(wanted, call), options, transport.signal);
      return open({ teamId: input.teamId, runId: id });
    },
    open,
  };
}

/** `crypto.randomUUID` is only there in a secure context. */
function randomKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
