import type { ServerResponse } from "node:http";

/** What a handler answers: JSON, or bytes of its own. */
export type Answer =
  | { status: number; json: unknown; headers?: Record<string, string | string[]> }
  | { status: number; bytes: Buffer | string; contentType?: string | undefined };

export function send(response: ServerResponse, answer: Answer): void {
  if ("json" in answer) {
    const body = `${JSON.stringify(answer.json)}\n`;
    response.writeHead(answer.status, {
      ...answer.headers,
      "content-type": "application/json",
      "content-length": Buffer.byteLength(body),
      "cache-control": "no-cache, private",
    });
    response.end(body);
    return;
  }
  const { status, bytes, contentType } = answer;
  response.writeHead(status, {
    ...(contentType === undefined ? {} : { "content-type": contentType }),
    ...(status === 204 ? {} : { "content-length": Buffer.byteLength(bytes) }),
    "cache-control": "no-cache, private",
  });
  response.end(bytes);
}
