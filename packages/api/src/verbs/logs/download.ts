import { type LogStream, TailraceError } from "@tailrace/core";
import type { z } from "zod";
import { requireRole } from "../../auth/access.ts";
import { type ApiContext, type Call, NEVER } from "../../context.ts";
import { ndjsonLog } from "../../logs/export/ndjson.ts";
import { rawLog } from "../../logs/export/raw.ts";
import { textLog } from "../../logs/export/text.ts";
import { orderStreams } from "../../logs/order-streams.ts";
import { selectStreams } from "../../logs/select-streams.ts";
import type { logsDownload } from "../../schemas/logs.ts";
import { findStreams } from "./find-streams.ts";
import { rawStream } from "./raw-stream.ts";

/** A log as a file. */
export interface LogDownload {
  fileName: string;
  contentType: string;
  /** What the body of the format can't say. */
  headers: Record<string, string>;
  body: AsyncIterable<Buffer>;
}

type Input = z.output<typeof logsDownload>;

/**
 * Everything that is stored of the selected logs when it is asked for, in pieces of bounded size. Nothing is read before
 * the first of them is taken.
 *
 * @throws TailraceError NOT_FOUND where there is nothing to download, because an empty file would look like a run that
 * said nothing; BAD_REQUEST where the format is raw and not exactly one container is named
 */
export async function downloadLogs({ ctx, input, signal = NEVER }: Call<Input>): Promise<LogDownload> {
  const { teamId, runId, pod, container, restart } = input;
  await requireRole(ctx, teamId, "viewer");
  const all = await findStreams(ctx, teamId, runId);
  if (all.length === 0) throw new TailraceError("NOT_FOUND", `test run "${runId}" has no logs yet`);
  const selected = selectStreams(all, input, runId);
  if (input.format === "raw") return downloadRaw(ctx, rawStream(selected, { pod, container, restart }), runId, signal);
  const streams = selected.filter((stream) => isNamed(stream, input));
  if (streams.length === 0) throw new TailraceError("NOT_FOUND", `test run "${runId}" has no log of such a container`);
  return input.format === "text"
    ? downloadText(ctx, streams, runId, signal)
    : downloadNdjson(ctx, streams, runId, signal);
}

function isNamed(stream: LogStream, { pod, container, restart }: Input): boolean {
  return (
    (pod === undefined || stream.pod === pod) &&
    (container === undefined || stream.container === container) &&
    (restart === undefined || stream.restart === restart)
  );
}

function downloadText(ctx: ApiContext, streams: LogStream[], runId: string, signal: AbortSignal): LogDownload {
  return {
    fileName: `${runId}.log`,
    contentType: "text/plain; charset=utf-8",
    headers: {},
    body: textLog(orderStreams(streams), (stream) => ctx.store.exportStream(stream, signal)),
  };
}

function downloadNdjson(ctx: ApiContext, streams: LogStream[], runId: string, signal: AbortSignal): LogDownload {
  return {
    fileName: `${runId}.ndjson`,
    contentType: "application/x-ndjson",
    headers: {},
    body: ndjsonLog(streams, ctx.store.exportMerged(streams, signal)),
  };
}

function downloadRaw(ctx: ApiContext, stream: LogStream, runId: string, signal: AbortSignal): LogDownload {
  const { pod, container, restart, gaps, truncated, sha256 } = stream;
  return {
    fileName: `${runId}-${pod}-${container}${restart === 0 ? "" : `-${restart}`}.log`,
    contentType: "application/octet-stream",
    headers: {
      "tailrace-gaps": String(gaps),
      ...(truncated === null ? {} : { "tailrace-truncated": encodeURI(truncated.toWellFormed()) }),
      ...(sha256 === null ? {} : { "tailrace-sha256": sha256 }),
    },
    body: rawLog(ctx.store.exportStream(stream, signal)),
  };
}
