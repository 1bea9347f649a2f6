import { type TRPCRouterBuilder, initTRPC } from "@trpc/server";
import type { ApiContext } from "../context.ts";
import { type ErrorShape, errorShape } from "../errors/shape.ts";
import { problemOf } from "../errors/problem.ts";
import type { ProcedureMeta } from "../rest/meta.ts";

/** The root that the router's public type names, so that the context's types stay on the server. */
export interface PublicRoot {
  ctx: object;
  meta: object;
  errorShape: ErrorShape;
  transformer: false;
}

const t = initTRPC
  .context<ApiContext>()
  .meta<ProcedureMeta>()
  .create({
    isDev: false,
    errorFormatter: ({ error, ctx }): ErrorShape => errorShape(problemOf(error), ctx?.requestId ?? null),
  });

export const procedure = t.procedure;

// The context is hidden by this one assertion: a plain assignment is refused, because the builder's methods take the context.
export const router = t.router as unknown as TRPCRouterBuilder<PublicRoot>;
