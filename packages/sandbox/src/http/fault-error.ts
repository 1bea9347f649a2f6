import { ApiError } from "../api/status.ts";
import type { RequestFault } from "../faults.ts";

type FaultCode = Exclude<NonNullable<RequestFault["answer"]>, "reset">;

const WORDS: Record<FaultCode, [reason: string, message: string]> = {
  401: ["Unauthorized", "Unauthorized"],
  403: ["Forbidden", "forbidden: a fault of the sandbox"],
  404: ["NotFound", "the server could not find the requested resource"],
  409: [
    "Conflict",
    "Operation cannot be fulfilled: the object has been modified; please apply your changes to the latest version and try again",
  ],
  410: ["Expired", "The provided resource version is too old"],
  429: ["TooManyRequests", "Too many requests, please try again later."],
  500: ["InternalError", "Internal error occurred: a fault of the sandbox"],
  503: ["ServiceUnavailable", "the server is currently unable to handle the request"],
  504: ["Timeout", "Timeout: request did not complete within the allotted timeout"],
};

/** The failure that a fault stands for. */
export function faultError(code: FaultCode, retryAfter: number | undefined): ApiError {
  const [reason, message] = WORDS[code];
  const seconds = retryAfter ?? (code === 429 ? 1 : undefined);
  const details = seconds === undefined ? undefined : { retryAfterSeconds: seconds };
  return new ApiError(code, reason, message, details, seconds === undefined ? {} : { "retry-after": String(seconds) });
}
