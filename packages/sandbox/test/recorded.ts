import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";

/** One recorded answer of the log API; `body` has one character per byte. */
export interface RecordedAnswer {
  id: string;
  request: string;
  status: number;
  contentType: string | null;
  body: string;
}

const lines = gunzipSync(readFileSync(new URL("fixtures/log-api.jsonl.gz", import.meta.url)))
  .toString("utf8")
  .trimEnd()
  .split("\n");
const answers = lines.map((line) => JSON.parse(line) as RecordedAnswer);

/** The recorded answer, the last one of several. */
export function recorded(id: string): RecordedAnswer {
  const found = answers.findLast((answer) => answer.id === id);
  if (found === undefined) throw new Error(`no recorded answer ${id}`);
  return found;
}

export function recordedJson(name: string): ReturnType<typeof JSON.parse> {
  return JSON.parse(readFileSync(new URL(`fixtures/${name}`, import.meta.url), "utf8"));
}
