import { TailraceError } from "@tailrace/core";
import { callTRPCProcedure } from "@trpc/server";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { RouteDeps } from "../deps.ts";
import { BODY_BYTES, LARGE_BODY_BYTES } from "../limits.ts";
import { restInput } from "../rest/input.ts";
import type { RestRoute } from "../rest/meta.ts";
import { type QueryFields, queryFields } from "../rest/query-fields.ts";
import { type ListedProcedure, proceduresOf } from "../trpc/procedures.ts";
import { appRouter } from "../trpc/router.ts";
import { restErrorHandler } from "./errors.ts";
import { contextOf, partsOf, signalOf } from "./request.ts";

/** Below the API's own address. */
export const BASE = "/dashboard/load-testing/teams";

/** Mounts each procedure as the REST route that its meta says; validation, access and errors are the procedure's. */
export function registerRest(scope: FastifyInstance, deps: RouteDeps): void {
  scope.addContentTypeParser("application/json", { parseAs: "string" }, (_, body, done) => {
    try {
      done(null, body === "" ? undefined : JSON.parse(body as string));
    } catch (cause) {
      done(new TailraceError("BAD_REQUEST", "the request is not valid JSON", { cause }));
    }
  });
  scope.setErrorHandler(restErrorHandler(deps.log));
  for (const listed of proceduresOf(appRouter)) {
    const { method, path } = listed.meta.rest;
    const fields = queryFields(listed.input);
    scope.route({
      method,
      url: BASE + path,
      bodyLimit: listed.meta.largeBody === true ? LARGE_BODY_BYTES : BODY_BYTES,
      handler: async (request, reply) =>
        present(reply, listed.meta.rest, await call({ request, reply, deps, listed, fields })),
    });
  }
}

interface RestCall {
  request: FastifyRequest;
  reply: FastifyReply;
  deps: RouteDeps;
  listed: ListedProcedure;
  fields: QueryFields;
}

async function call({ request, reply, deps, listed: { path, type, meta }, fields }: RestCall): Promise<unknown> {
  const idempotencyKey = meta.rest.idempotent === true ? headerText(request.headers["idempotency-key"]) : undefined;
  const input = restInput({ ...partsOf(request), idempotencyKey }, fields);
  return await callTRPCProcedure({
    router: appRouter,
    path,
    type,
    ctx: contextOf(request, deps),
    getRawInput: () => Promise.resolve(input),
    signal: signalOf(reply),
    batchIndex: 0,
  });
}

function headerText(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value.join(", ") : value;
}

function present(reply: FastifyReply, { status, answer }: RestRoute, output: unknown): FastifyReply {
  reply.code(status);
  if (status === 204) return reply.send();
  if (answer === "text") return reply.type("text/plain; charset=utf-8").send((output as { text: string }).text);
  return reply.send(output);
}
