import type { ApiErrorCode } from "@tailrace/api";
import type { FieldIssue } from "@tailrace/core";
import { TailraceClientError } from "../error.ts";
import { authorization, readText, send, type Transport } from "../transport.ts";

export interface DownloadOptions {
  /**
   * - `text`: one container after the other, each below its `=== Container: … ===`
   * - `ndjson`: all lines in one order, one JSON object a line, gaps among them
   * - `raw`: what one container wrote, which `pod` and `container` name
   *
   * (Default: `text`)
   */
  format?: "text" | "ndjson" | "raw" | undefined;
  pod?: string | undefined;
  container?: string | undefined;
  restart?: number | undefined;
  signal?: AbortSignal | undefined;
}

/** A whole log, of whatever size. @throws TailraceClientError; while it is read, when the connection breaks */
export async function download(
  transport: Transport,
  { teamId, runId }: { teamId: string; runId: string },
  { signal, ...query }: DownloadOptions = {},
): Promise<{ response: Response; signal: AbortSignal }> {
  const path = [teamId, "test-runs", runId, "logs", "full"].map(encodeURIComponent).join("/");
  const url = new URL(`/api/dashboard/load-testing/teams/${path}`, transport.origin);
  for (const [name, value] of Object.entries(query)) if (value !== undefined) url.searchParams.set(name, String(value));
  try {
    const answer = await send(transport, url, { headers: authorization(transport), signal: signal ?? null });
    if (!answer.response.ok) throw await problemOf(transport, answer);
    return answer;
  } catch (error) {
    throw asClientError(error, [signal, transport.signal]);
  }
}

/** The same as one text. @throws TailraceClientError */
export async function downloadText(
  transport: Transport,
  run: { teamId: string; runId: string },
  options: DownloadOptions,
): Promise<string> {
  const { response, signal } = await download(transport, run, options);
  try {
    return await readText(transport, response, signal);
  } catch (error) {
    throw asClientError(error, [signal]);
  }
}

function asClientError(error: unknown, signals: readonly (AbortSignal | undefined)[]): unknown {
  if (error instanceof TailraceClientError || !signals.some((signal) => signal?.aborted === true)) return error;
  return new TailraceClientError("ABORTED", "the call was aborted");
}

/** An error answer of the REST routes (RFC 9457). */
interface ProblemBody {
  code: ApiErrorCode;
  detail: string;
  issues: FieldIssue[];
  requestId: string;
}

async function problemOf(
  transport: Transport,
  { response, signal }: { response: Response; signal: AbortSignal },
): Promise<TailraceClientError> {
  const { status } = response;
  const type = response.headers.get("content-type") ?? "no content type";
  const text = await readText(transport, response, signal);
  const problem = type.startsWith("application/problem+json") ? parseProblem(text) : null;
  if (problem === null)
    return new TailraceClientError("BAD_RESPONSE", `${transport.origin} answered ${status} with ${type}`, { status });
  const { code, detail, issues, requestId } = problem;
  return new TailraceClientError(code, detail, { issues, requestId, status });
}

/** @returns null for what is no problem of ours: proxies have their own */
function parseProblem(text: string): ProblemBody | null {
  let body: Partial<ProblemBody> | null;
  try {
    body = JSON.parse(text) as Partial<ProblemBody> | null;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
  return typeof body?.code === "string" && Array.isArray(body.issues) ? (body as ProblemBody) : null;
}
