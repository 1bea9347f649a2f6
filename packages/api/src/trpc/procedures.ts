import type { AnyTRPCRouter, TRPCProcedureType } from "@trpc/server";
import type { ProcedureMeta } from "../rest/meta.ts";

export interface ListedProcedure {
  /** As tRPC names it, for example `runs.create`. */
  path: string;
  type: TRPCProcedureType;
  meta: ProcedureMeta;
}

/** @throws Error when a procedure does not say what it is over REST */
export function proceduresOf(router: AnyTRPCRouter): ListedProcedure[] {
  return Object.entries(router._def.procedures).map(([path, procedure]) => {
    const { type, meta } = (procedure as { _def: { type: TRPCProcedureType; meta?: ProcedureMeta } })._def;
    if (meta === undefined) throw new Error(`procedure ${path} has no meta`);
    return { path, type, meta };
  });
}
