/** How a procedure looks as a REST route. */
export interface RestRoute {
  method: "GET" | "POST" | "PATCH" | "DELETE";
  /** Below `/api/dashboard/load-testing/teams`, with parameters as `:name`. */
  path: string;
  /** The status of success. */
  status: 200 | 201 | 204;
  /** `text`: the body is the result's `text`, as text/plain. (Default: json) */
  answer?: "json" | "text";
  /** The header `Idempotency-Key` is the input field `idempotencyKey`. (Default: false) */
  idempotent?: boolean;
}

export interface ProcedureMeta {
  rest: RestRoute;
  /** The input holds a script: bodies up to 4 MiB instead of 64 KiB. (Default: false) */
  largeBody?: boolean;
}
