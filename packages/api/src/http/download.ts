import type { OutgoingHttpHeaders } from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { TailraceError } from "@tailrace/core";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { RouteDeps } from "../deps.ts";
import { logFailure } from "../errors/log.ts";
import { problemOf } from "../errors/problem.ts";
import { DOWNLOAD_STALL_MS, MAX_DOWNLOADS } from "../limits.ts";
import { restInput } from "../rest/input.ts";
import { queryFields } from "../rest/query-fields.ts";
import { logsDownload } from "../schemas/logs.ts";
import { type LogDownload, downloadLogs } from "../verbs/logs/download.ts";
import { chooseCoding, encoder } from "./encoding.ts";
import { restErrorHandler } from "./errors.ts";
import { startReading } from "./paced.ts";
import { contextOf, partsOf, signalOf } from "./request.ts";
import { BASE } from "./rest.ts";

/**
 * Mounts the download of a run's logs. It is no procedure, because its answer has no bound: it is sent as it is read, at
 * the pace of the client, and the connection is cut where reading fails on the way, so that a part never looks whole.
 */
export function registerDownload(scope: FastifyInstance, deps: RouteDeps): void {
  scope.setErrorHandler(restErrorHandler(deps.log));
  const fields = queryFields(logsDownload);
  let underWay = 0;
  scope.route({
    method: "GET",
    url: `${BASE}/:teamId/test-runs/:runId/logs/full`,
    // A HEAD would read everything to say nothing.
    exposeHeadRoute: false,
    handler: async (request, reply) => {
      const input = logsDownload.parse(restInput(partsOf(request), fields));
      if (underWay >= MAX_DOWNLOADS)
        throw new TailraceError(
          "TOO_MANY_REQUESTS",
          `${MAX_DOWNLOADS} downloads are under way, and no more are possible`,
        );
      underWay += 1;
      try {
        const signal = signalOf(reply);
        const download = await downloadLogs({ ctx: contextOf(request, deps), input, signal });
        await send(download, { request, reply, deps, signal });
      } finally {
        underWay -= 1;
      }
    },
  });
}

interface Exchange {
  request: FastifyRequest;
  reply: FastifyReply;
  deps: RouteDeps;
  signal: AbortSignal;
}

/** Until the first piece is read a failure is an ordinary error answer. */
async function send(
  { fileName, contentType, headers, body }: LogDownload,
  { request, reply, deps, signal }: Exchange,
): Promise<void> {
  const pieces = await startReading(body, {
    stallMs: DOWNLOAD_STALL_MS,
    onStall: () => reply.raw.destroy(),
    onFailure: (error) => {
      const path = request.routeOptions.url ?? "unknown route";
      if (!signal.aborted) logFailure(deps.log, problemOf(error), error, { requestId: request.id, path });
    },
  });
  const coding = chooseCoding(request.headers["accept-encoding"]);
  reply.headers({
    ...headers,
    ...(coding === "identity" ? {} : { "content-encoding": coding }),
    "content-type": contentType,
    "content-disposition": `attachment; filename="${fileName}"`,
    "x-content-type-options": "nosniff",
    vary: "accept-encoding",
  });
  // Fastify would answer an error as an error, under these headers, as long as the compressor has given nothing.
  reply.hijack();
  reply.raw.writeHead(200, reply.getHeaders() as OutgoingHttpHeaders);
  const source = Readable.from(pieces, { objectMode: false });
  const compressed = encoder(coding);
  const sent = compressed === null ? pipeline(source, reply.raw) : pipeline(source, compressed, reply.raw);
  // Nobody is there to be told: a failure to read was logged, else the client has left. The connection is cut.
  await sent.catch(() => undefined);
}
