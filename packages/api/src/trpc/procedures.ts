import type { AnyTRPCRouter, TRPCProcedureType } from "@trpc/server";
import type { ProcedureMeta } from "../rest/meta.ts";

export interface ListedProcedure {
  /** As tRPC names it, for example `runs.create`. */
  path: string;
  type: TRPCProcedureType;
  meta: ProcedureMeta;
}

interface Defined {
  _def: { type: TRPCProcedureType; meta?: ProcedureMeta };
}

/** @throws Error when a procedure does not say what it is over REST */
export function proceduresOf({ _def: { procedures } }: AnyTRPCRouter): ListedProcedure[] {
  return Object.entries(procedures as Record<string, Defined>).map(
    ([
      path,
      {
        _def: { type, meta },
      },
    ]) => {
      if (meta === undefined) throw new Error(`procedure ${path} has no meta`);
      return { path, type, meta };
    },
  );
}
