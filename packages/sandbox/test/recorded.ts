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

const answers = lines("log-api.jsonl.gz").map((line) => JSON.parse(line) as RecordedAnswer);

/** The recorded answer, the last one of several. */
export function recorded(id: string): RecordedAnswer {
  const found = answers.findLast((answer) => answer.id === id);
  if (found === undefined) throw new Error(`no recorded answer ${id}`);
  return found;
}

export function recordedJson(name: string): ReturnType<typeof JSON.parse> {
  return JSON.parse(readFileSync(new URL(`fixtures/${name}`, import.meta.url), "utf8"));
}

/** One recorded answer of the kubelet's own port, or of the API server's node proxy. */
export interface RecordedNodeLog {
  id: string;
  port: "api" | "kubelet";
  caller: "admin" | "nodes/log" | "no rights" | "no token" | "wrong token";
  method: string;
  path: string;
  headers: [name: string, value: string][];
  status: number;
  answered: [name: string, value: string][];
  body: string;
}

export const RECORDED_NODE_LOGS = lines("node-logs.jsonl.gz").map((line) => JSON.parse(line) as RecordedNodeLog);

/** What lay in the node's `/var/log`; of a large file, what stood at some offsets. */
export interface RecordedFiles {
  files: { path: string; size: number; modified: string; parts: [offset: number, text: string][] }[];
  folders: { path: string; modified: string }[];
}

export const RECORDED_FILES = JSON.parse(lines("node-log-files.json.gz").join("\n")) as RecordedFiles;

function lines(name: string): string[] {
  return gunzipSync(readFileSync(new URL(`fixtures/${name}`, import.meta.url)))
    .toString("utf8")
    .trimEnd()
    .split("\n");
}
