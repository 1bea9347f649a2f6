import type { RestAnswer, RestRequest } from "./process.ts";

/**
 * Answers the two requests to k6's `/v1/status` that are used: reading, and changing `paused` or `stopped`.
 *
 * @param resume - called after the answer, once
 * @param stop - called after each answer to a stop
 */
export function answerStatus(
  { method, path, body }: RestRequest,
  status: { paused: boolean; stopped: boolean },
  resume: () => void,
  stop: () => void,
): RestAnswer {
  if (path.split("?")[0] !== "/v1/status")
    return { status: 404, contentType: "text/plain; charset=utf-8", body: "404 page not found\n" };
  if (method === "PATCH") {
    const asked = attributesOf(body);
    if (asked === null) return failure(400, "Invalid data");
    if (asked.stopped === true) {
      status.stopped = true;
      setImmediate(stop);
    } else if (asked.paused === false) {
      if (!status.paused) return failure(500, "Pause error: test execution is already resumed");
      status.paused = false;
      setImmediate(resume);
    }
  } else if (method !== "GET") return { status: 405, contentType: undefined, body: "" };
  const document = { data: { type: "status", id: "default", attributes: status } };
  return { status: 200, contentType: "application/json; charset=utf-8", body: JSON.stringify(document) };
}

function attributesOf(body: string): { paused?: boolean; stopped?: boolean } | null {
  try {
    return (JSON.parse(body) as { data?: { attributes?: object } }).data?.attributes ?? null;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

function failure(code: number, title: string): RestAnswer {
  return {
    status: code,
    contentType: "application/json; charset=utf-8",
    body: JSON.stringify({ errors: [{ status: String(code), title, detail: title }] }),
  };
}
