import type { ServerResponse } from "node:http";
import { type Received, sendJson, sendStatus, startServer, type TestServer } from "./server.ts";

export type Kind = "testruns" | "jobs" | "pods";

export interface StoredObject {
  metadata: {
    name: string;
    uid: string;
    resourceVersion: string;
    labels?: Record<string, string>;
    ownerReferences?: { apiVersion: string; kind: string; name: string; uid: string }[];
  };
  [field: string]: unknown;
}

interface Change {
  kind: Kind;
  version: number;
  type: "ADDED" | "MODIFIED" | "DELETED";
  object: StoredObject;
}

interface OpenWatch {
  kind: Kind;
  response: ServerResponse;
}

/**
 * A small API server with lists (in pages), watches, resource versions and compaction, that a test can disturb through
 * `intercept` and through the open responses.
 */
export class ApiServer implements AsyncDisposable {
  readonly http: TestServer;
  /** Answers a request itself and returns true, or lets it pass. */
  intercept: (request: Received, response: ServerResponse) => boolean = () => false;
  /** What a page of a list may hold at most, whatever the client's limit. */
  pageSize = 500;
  readonly watches = new Set<OpenWatch>();
  readonly #objects = new Map<Kind, Map<string, StoredObject>>([
    ["testruns", new Map()],
    ["jobs", new Map()],
    ["pods", new Map()],
  ]);
  #version = 100;
  #compacted = 0;
  #changes: Change[] = [];

  private constructor(server: TestServer) {
    this.http = server;
    server.handle = (request, response) => this.#answer(request, response);
  }

  static async start(): Promise<ApiServer> {
    return new ApiServer(await startServer(() => undefined));
  }

  get version(): string {
    return String(this.#version);
  }

  /** Requests of one kind: `list` or `watch`. */
  count(kind: Kind, verb: "list" | "watch"): number {
    return this.http.requests.filter(
      ({ path, query }) => path.endsWith(`/${kind}`) && query.has("watch") === (verb === "watch"),
    ).length;
  }

  put(
    kind: Kind,
    object: { metadata: Omit<StoredObject["metadata"], "resourceVersion">; [field: string]: unknown },
  ): void {
    this.#version += 1;
    const stored = { ...object, metadata: { ...object.metadata, resourceVersion: String(this.#version) } };
    const known = this.#objects.get(kind)!.has(stored.metadata.uid);
    this.#objects.get(kind)!.set(stored.metadata.uid, stored);
    this.#publish({ kind, version: this.#version, type: known ? "MODIFIED" : "ADDED", object: stored });
  }

  delete(kind: Kind, uid: string): void {
    const object = this.#objects.get(kind)!.get(uid);
    if (object === undefined) return;
    this.#version += 1;
    this.#objects.get(kind)!.delete(uid);
    const last = { ...object, metadata: { ...object.metadata, resourceVersion: String(this.#version) } };
    this.#publish({ kind, version: this.#version, type: "DELETED", object: last });
  }

  /** Removes an object without an event, as if it had happened while nobody watched, long ago. */
  forget(kind: Kind, uid: string): void {
    this.#objects.get(kind)!.delete(uid);
    this.compact();
  }

  /** Forgets the past: a watch from before now is answered with 410. */
  compact(): void {
    this.#version += 1;
    this.#compacted = this.#version;
    this.#changes = [];
  }

  bookmark(kind: Kind): void {
    this.#version += 1;
    const object = { kind: "Bookmark", metadata: { resourceVersion: String(this.#version) } };
    for (const watch of this.#of(kind)) watch.response.write(`${JSON.stringify({ type: "BOOKMARK", object })}\n`);
  }

  /** Writes bytes as they are into the open watches of a kind. */
  write(kind: Kind, text: string | Buffer): void {
    for (const watch of this.#of(kind)) watch.response.write(text);
  }

  /** Ends the open watches of a kind: cleanly, or by cutting the connection. */
  end(kind: Kind, how: "clean" | "reset"): void {
    for (const watch of this.#of(kind)) {
      this.watches.delete(watch);
      if (how === "clean") watch.response.end();
      else watch.response.destroy();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.http[Symbol.asyncDispose]();
  }

  #of(kind: Kind): OpenWatch[] {
    return Array.from(this.watches).filter((watch) => watch.kind === kind);
  }

  #publish(change: Change): void {
    this.#changes.push(change);
    this.write(change.kind, lineOf(change));
  }

  #answer(request: Received, response: ServerResponse): void {
    if (this.intercept(request, response)) return;
    const kind = request.path.split("/").at(-1) as Kind;
    if (!this.#objects.has(kind)) return sendStatus(response, 404, "NotFound");
    if (request.query.get("watch") === "true") return this.#watch(kind, request, response);
    this.#list(kind, request, response);
  }

  #list(kind: Kind, { query }: Received, response: ServerResponse): void {
    const all = Array.from(this.#objects.get(kind)!.values());
    const start = Number(query.get("continue") ?? 0);
    const end = start + Math.min(this.pageSize, Number(query.get("limit") ?? Infinity));
    const more = end < all.length ? { continue: String(end) } : {};
    const metadata = { resourceVersion: this.version, ...more };
    sendJson(response, 200, { kind: "List", apiVersion: "v1", metadata, items: all.slice(start, end) });
  }

  #watch(kind: Kind, { query }: Received, response: ServerResponse): void {
    const from = Number(query.get("resourceVersion"));
    if (from < this.#compacted) return sendStatus(response, 410, "Expired", "too old resource version");
    response.writeHead(200, { "content-type": "application/json" });
    response.flushHeaders();
    for (const change of this.#changes)
      if (change.kind === kind && change.version > from) response.write(lineOf(change));
    const watch = { kind, response };
    this.watches.add(watch);
    response.on("close", () => this.watches.delete(watch));
  }
}

function lineOf({ type, object }: Change): string {
  return `${JSON.stringify({ type, object })}\n`;
}

export function testRunObject(name: string, uid: string, stage?: string) {
  return { metadata: { name, uid }, ...(stage !== undefined && { status: { stage } }) };
}

export function ownedObject(name: string, uid: string, testRun: string, ownerUid: string, more: object = {}) {
  const ownerReferences = [{ apiVersion: "v1", kind: "Owner", name: "owner", uid: ownerUid }];
  return { metadata: { name, uid, labels: { app: "k6", k6_cr: testRun }, ownerReferences }, ...more };
}
