import { once } from "node:events";
import { type IncomingMessage, get } from "node:http";
import { ADMIN, TEAMS, type TestApi } from "./api.ts";

/** Which download: of a team's run, with the rest of the query. */
export interface Wanted {
  teamId: string;
  runId: string;
  query?: string;
  token?: string;
  /** (Default: none, which is identity) */
  acceptEncoding?: string;
}

export interface Downloaded {
  status: number;
  headers: IncomingMessage["headers"];
  body: Buffer;
  /** False when the connection was cut before the end. */
  complete: boolean;
}

/** Sends the request and gives the answer's head; nothing of its body is taken yet. */
export async function openDownload(api: TestApi, wanted: Wanted): Promise<IncomingMessage> {
  const { teamId, runId, query = "", token = ADMIN, acceptEncoding } = wanted;
  const url = `${api.origin}${TEAMS}/${teamId}/test-runs/${runId}/logs/full?${query}`;
  const headers = {
    authorization: `Bearer ${token}`,
    ...(acceptEncoding === undefined ? {} : { "accept-encoding": acceptEncoding }),
  };
  const request = get(url, { headers, agent: false });
  const [response] = (await once(request, "response")) as [IncomingMessage];
  // What the connection fails with later is seen at the answer.
  request.on("error", () => undefined);
  return response;
}

/** All of a body, or what came of it before it was cut. */
export async function take(response: IncomingMessage): Promise<Downloaded> {
  const pieces: Buffer[] = [];
  response.on("data", (piece: Buffer) => pieces.push(piece));
  response.on("error", () => undefined);
  await new Promise((resolve) => response.once("close", resolve));
  return {
    status: response.statusCode ?? 0,
    headers: response.headers,
    body: Buffer.concat(pieces),
    complete: response.complete,
  };
}

export async function download(api: TestApi, wanted: Wanted): Promise<Downloaded> {
  return await take(await openDownload(api, wanted));
}
