import { ApiError, badRequest, type StatusCause } from "../api/status.ts";

/** The parameters of `GET …/pods/{name}/log`. */
export interface LogRequest {
  container: string | undefined;
  follow: boolean;
  previous: boolean;
  timestamps: boolean;
  /** Cut to the second, as the API server passes it on; nine zeros follow. */
  since: string | undefined;
  tailLines: number | undefined;
  limitBytes: number | undefined;
}

/**
 * Parses and validates as the API server does (k8s.io/kubernetes, pkg/apis/core/validation, ValidatePodLogOptions).
 *
 * @param now - for sinceSeconds
 * @throws ApiError 400 for what can't be parsed, 422 for what is out of range
 */
export function parseLogRequest(pod: string, query: URLSearchParams, now: Date): LogRequest {
  const sinceTime = parseSinceTime(query.get("sinceTime"));
  const sinceSeconds = integer(query, "sinceSeconds");
  const tailLines = integer(query, "tailLines");
  const limitBytes = integer(query, "limitBytes");
  const causes: StatusCause[] = [];
  if (tailLines !== undefined && tailLines < 0)
    causes.push(mustBe("tailLines", tailLines, "must be greater than or equal to 0"));
  if (limitBytes !== undefined && limitBytes < 1)
    causes.push(mustBe("limitBytes", limitBytes, "must be greater than 0"));
  if (sinceSeconds !== undefined && sinceTime !== undefined)
    causes.push(forbidden("", "at most one of `sinceTime` or `sinceSeconds` may be specified"));
  else if (sinceSeconds !== undefined && sinceSeconds < 1)
    causes.push(mustBe("sinceSeconds", sinceSeconds, "must be greater than 0"));
  if (query.has("stream")) causes.push(forbidden("stream", "may not be specified"));
  if (causes.length > 0) throw invalidOptions(pod, causes);
  return {
    container: query.get("container") || undefined,
    follow: flag(query, "follow"),
    previous: flag(query, "previous"),
    timestamps: flag(query, "timestamps"),
    since:
      sinceTime ??
      (sinceSeconds === undefined
        ? undefined
        : `${new Date(now.getTime() - sinceSeconds * 1000).toISOString().slice(0, 23)}000000Z`),
    tailLines,
    limitBytes,
  };
}

function parseSinceTime(text: string | null): string | undefined {
  if (text === null || text === "") return undefined;
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/.test(text) || Number.isNaN(Date.parse(text))) {
    throw badRequest(`parsing time "${text}" as "2006-01-02T15:04:05Z07:00": cannot parse "${text}" as "2006"`);
  }
  return `${new Date(text).toISOString().slice(0, 19)}.000000000Z`;
}

function integer(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name);
  if (text === null || text === "") return undefined;
  if (!/^-?\d+$/.test(text)) throw badRequest(`strconv.ParseInt: parsing "${text}": invalid syntax`);
  return Number(text);
}

/** As k8s.io/apimachinery converts a query parameter: present without a value is true. */
export function flag(query: URLSearchParams, name: string): boolean {
  const text = query.get(name);
  return text !== null && text.toLowerCase() !== "false" && text !== "0";
}

function mustBe(field: string, value: number, rule: string): StatusCause {
  return { reason: "FieldValueInvalid", message: `Invalid value: ${value}: ${rule}`, field };
}

function forbidden(field: string, what: string): StatusCause {
  return { reason: "FieldValueForbidden", message: `Forbidden: ${what}`, field };
}

function invalidOptions(pod: string, causes: StatusCause[]): ApiError {
  const lines = causes.map((cause) => `${cause.field}: ${cause.message}`);
  const text = lines.length === 1 ? lines[0]! : `[${lines.join(", ")}]`;
  return new ApiError(422, "Invalid", `PodLogOptions "${pod}" is invalid: ${text}`, {
    name: pod,
    kind: "PodLogOptions",
    causes,
  });
}
