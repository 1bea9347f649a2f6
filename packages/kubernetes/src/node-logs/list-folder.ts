import { ClusterError, parseListing } from "@tailrace/core";
import { answerError } from "../answer-error.ts";
import type { OnHead } from "../http/get.ts";
import { getWanted, KeptBody, wasStopped } from "../http/kept-body.ts";

/** An entry is about 80 bytes, and the kubelet keeps 5 files of an instance. */
const MAX_LISTING_BYTES = 1024 * 1024;

/** The names in a folder; null when there is no such folder. @param what - the request in errors */
export async function listFolder(what: string, send: (onHead: OnHead) => Promise<void>): Promise<string[] | null> {
  const listing = new KeptBody(MAX_LISTING_BYTES);
  const wanted = getWanted(send, ({ status }) => (status === 200 ? listing.take : null));
  const refusal = await wanted.catch((error: unknown) => {
    if (!listing.cut || !wasStopped(error)) throw error;
    throw new ClusterError("server_error", `${what}: the listing exceeds ${MAX_LISTING_BYTES} bytes`);
  });
  if (refusal === null) return parseListing(listing.bytes().toString("utf8"));
  if (refusal.head.status === 404) return null;
  throw answerError(what, refusal.head.status, refusal.head.headers, refusal.body);
}
