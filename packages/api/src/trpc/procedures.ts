import type { AnyTRPCRouter, TRPCProcedureType } from "@trpc/server";
import type { z } from "zod";
import type { ProcedureMeta } from "../rest/meta.ts";

export interface ListedProcedure {
  /** As tRPC names it, for example `runs.create`. */
  path: string;
  type: TRPCProcedureType;
  meta: ProcedureMeta;
  input: z.ZodType;
}

interface Defined {
  _def: { type: TRPCProcedureType; meta?: ProcedureMeta; inputs: z.ZodType[] };
}

/** @throws Error when a procedure does not say what it is over REST, or has no input */
export function proceduresOf({ _def: { procedures } }: AnyTRPCRouter): ListedProcedure[] {
  return Object.entries(procedures as Record<string, Defined>).map(
    ([
      path,
      {
        _def: { type, meta, inputs },
      },
    ]) => {
      const [input] = inputs;
      if (meta === undefined || input === undefined) throw new Error(`procedure ${path} has no meta or no input`);
      return { path, type, meta, input };
    },
  );
}
