import { ClusterError, type FilePlace, type NodeReadAnswer, type TakeBytes } from "@tailrace/core";
import { answerError } from "../answer-error.ts";
import { Deadline } from "../deadline.ts";
import { abortFailure } from "../http/failure.ts";
import type { OnHead } from "../http/get.ts";
import { getWanted, type Refusal, wasStopped } from "../http/kept-body.ts";
import type { AnswerHead } from "../http/response-head.ts";
import { PlaceReader } from "./place-reader.ts";
import { contentRangeSize, contentRangeStart, rangeHeader, rangeStart } from "./range.ts";
import { Unzip } from "./unzip.ts";

/** Sends the GET for a file. */
export type SendGet = (headers: Record<string, string>, onHead: OnHead, signal: AbortSignal) => Promise<void>;

/** What is read. */
export interface FileRead {
  place: FilePlace;
  limit: number | null;
  take: TakeBytes;
  signal: AbortSignal;
}

/** Reads a file from the place on. @param what - the request in errors */
export async function readPlain(
  what: string,
  send: SendGet,
  { place, limit, take, signal }: FileRead,
): Promise<NodeReadAnswer> {
  let reader: PlaceReader | undefined;
  const wanted = (head: AnswerHead): TakeBytes | null => {
    if (head.status !== 200 && head.status !== 206) return null;
    reader = new PlaceReader(place, bodyStart(what, head, place), limit);
    return checked(reader, take);
  };
  const headers = { range: rangeHeader(place, limit) };
  try {
    const refusal = await getWanted((onHead) => send(headers, onHead, signal), wanted);
    if (refusal !== null) return refused(what, refusal, place);
  } catch (error) {
    if (!wasStopped(error) || reader?.done !== true) throw error;
  }
  return outcome(reader!);
}

/** Reads an unzipped file from the place on; all of it comes over the wire. */
export async function readGzipped(
  what: string,
  send: SendGet,
  { place, limit, take, signal }: FileRead,
): Promise<NodeReadAnswer> {
  const reader = new PlaceReader(place, 0, limit);
  using ending = new Deadline(signal);
  let unzip: Unzip | undefined;
  const wanted = (head: AnswerHead): TakeBytes | null => {
    if (head.status !== 200) return null;
    requireIdentity(what, head);
    unzip = new Unzip(what, checked(reader, take));
    unzip.ended.catch((error: unknown) => ending.abort(error));
    ending.signal.addEventListener("abort", () => unzip?.fail(abortFailure(ending.signal)));
    return unzip.take;
  };
  try {
    const refusal = await getWanted((onHead) => send({}, onHead, ending.signal), wanted);
    if (refusal !== null) return refused(what, refusal, place);
    unzip!.end();
    await unzip!.ended;
  } catch (error) {
    unzip?.fail(error as Error);
    // Whichever of the two has failed first is the reason of the other.
    const first: unknown = await (unzip?.ended ?? Promise.reject(error as Error)).catch((reason: unknown) => reason);
    if (!wasStopped(first) || !reader.done) throw first;
  }
  return outcome(reader);
}

/** Where in the file an answer's body begins. */
function bodyStart(what: string, head: AnswerHead, place: FilePlace): number {
  requireIdentity(what, head);
  if (head.status === 200) return 0;
  const start = contentRangeStart(head.headers["content-range"]);
  if (start === rangeStart(place)) return start;
  throw new ClusterError("server_error", `${what}: the answer is another range than was asked for`, { status: 206 });
}

function requireIdentity(what: string, { status, headers }: AnswerHead): void {
  const coding = headers["content-encoding"];
  if (coding === undefined || coding === "identity") return;
  throw new ClusterError("server_error", `${what}: the answer has a coding that was not asked for`, { status });
}

function checked(reader: PlaceReader, take: TakeBytes): TakeBytes {
  return (bytes, flow) => {
    const wanted = reader.push(bytes);
    const more = wanted.length === 0 || take(wanted, flow);
    if (reader.done) flow.stop();
    return more;
  };
}

function refused(what: string, { head, body }: Refusal, place: FilePlace): NodeReadAnswer {
  if (head.status === 404) return { kind: "missing" };
  if (head.status !== 416) throw answerError(what, head.status, head.headers, body);
  // Without an entry to ask for, a file that ends at the place has nothing to give.
  const atEnd = place.entryBytes === 0 && contentRangeSize(head.headers["content-range"]) === place.offset;
  return atEnd ? { kind: "read", bytes: 0 } : { kind: "changed" };
}

function outcome(reader: PlaceReader): NodeReadAnswer {
  return reader.changed ? { kind: "changed" } : { kind: "read", bytes: reader.bytes };
}
