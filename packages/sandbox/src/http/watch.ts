import type { ServerResponse } from "node:http";
import { render } from "../api/render.ts";
import { apiVersion, RESOURCES, type ResourceName } from "../api/resources.ts";
import { ApiError } from "../api/status.ts";
import { flag } from "../logs/request.ts";
import { parseSelectors } from "../store/selectors.ts";
import type { ObjectStore } from "../store/store.ts";
import { selectedEvent } from "../store/watch-event.ts";

export interface WatchRequest {
  resource: ResourceName;
  /** Undefined for all namespaces. */
  namespace: string | undefined;
  query: URLSearchParams;
  bookmarkMs: number;
}

/** The API server's `--min-request-timeout`, doubled at random. */
const MIN_SECONDS = 1800;

/**
 * Streams changes as lines of JSON until the time is over or the client leaves. A resourceVersion that is too old is
 * answered inside a 200, as the API server does.
 */
export function streamWatch(store: ObjectStore, request: WatchRequest, response: ServerResponse): void {
  const { resource, namespace, query } = request;
  const since = readVersion(query.get("resourceVersion"));
  const inNamespace = parseSelectors(query.get("labelSelector") ?? undefined, query.get("fieldSelector") ?? undefined);
  const selects: typeof inNamespace = (object) =>
    (namespace === undefined || object.metadata.namespace === namespace) && inNamespace(object);
  const send = (type: string, object: unknown): void => void response.write(`${JSON.stringify({ type, object })}\n`);
  response.writeHead(200, { "content-type": "application/json", "cache-control": "no-cache, private" });
  response.flushHeaders();
  let stop: () => void;
  try {
    if (since === 0)
      for (const object of store.list(resource, namespace))
        if (selects(object)) send("ADDED", render(resource, object));
    stop = store.watch(resource, since === 0 ? store.resourceVersion : since, (change) => {
      const event = selectedEvent(change, selects);
      if (event !== undefined) send(event.type, render(resource, event.object));
    });
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    send("ERROR", error.body);
    response.end();
    return;
  }
  const bookmark = (): void => {
    const { kind } = RESOURCES[resource];
    send("BOOKMARK", {
      kind,
      apiVersion: apiVersion(RESOURCES[resource]),
      metadata: { resourceVersion: String(store.resourceVersion) },
    });
  };
  const wantsBookmarks = flag(query, "allowWatchBookmarks");
  const bookmarks = wantsBookmarks ? setInterval(bookmark, request.bookmarkMs) : undefined;
  const seconds = Number(query.get("timeoutSeconds") ?? 0) || MIN_SECONDS * (1 + Math.random());
  const timeout = setTimeout(() => {
    if (wantsBookmarks) bookmark();
    response.end();
  }, seconds * 1000);
  response.once("close", () => {
    stop();
    clearInterval(bookmarks);
    clearTimeout(timeout);
  });
}

function readVersion(text: string | null): number {
  if (text === null || text === "") return 0;
  if (/^\d+$/.test(text)) return Number(text);
  throw new ApiError(
    500,
    undefined,
    `resourceVersion: Invalid value: ${JSON.stringify(text)}: strconv.ParseUint: parsing ${JSON.stringify(text)}: invalid syntax`,
  );
}
