import { qualifiedKind, qualifiedName, type Resource } from "./resources.ts";

export interface StatusCause {
  reason: string;
  message: string;
  field?: string;
}

/** `v1` Status, as the API server answers for everything that is not an object. */
export interface Status {
  kind: "Status";
  apiVersion: "v1";
  metadata: Record<string, never>;
  status: "Success" | "Failure";
  message?: string;
  reason?: string;
  details?: {
    name?: string;
    group?: string;
    kind?: string;
    uid?: string;
    causes?: StatusCause[];
    retryAfterSeconds?: number;
  };
  code?: number;
}

/** A request that is answered with a failure Status. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly body: Status;
  readonly code: number;
  readonly headers: Record<string, string>;

  constructor(
    code: number,
    reason: string | undefined,
    message: string,
    details?: Status["details"],
    headers: Record<string, string> = {},
  ) {
    super(message);
    this.code = code;
    this.headers = headers;
    this.body = {
      kind: "Status",
      apiVersion: "v1",
      metadata: {},
      status: "Failure",
      message,
      ...(reason === undefined ? {} : { reason }),
      ...(details === undefined ? {} : { details }),
      code,
    };
  }
}

/** Custom resources carry their group in `details`, built-in ones of the core group have none. */
function about(resource: Resource, name: string, kind: string): NonNullable<Status["details"]> {
  return { name, ...(resource.group === "" ? {} : { group: resource.group }), kind };
}

export function notFound(resource: Resource, name: string): ApiError {
  return new ApiError(
    404,
    "NotFound",
    `${qualifiedName(resource)} "${name}" not found`,
    about(resource, name, resource.plural),
  );
}

export function namespaceNotFound(name: string): ApiError {
  return new ApiError(404, "NotFound", `namespaces "${name}" not found`, { name, kind: "namespaces" });
}

export function alreadyExists(resource: Resource, name: string): ApiError {
  const message = `${qualifiedName(resource)} "${name}" already exists`;
  return new ApiError(409, "AlreadyExists", message, about(resource, name, resource.plural));
}

export function modified(resource: Resource, name: string): ApiError {
  const what = "the object has been modified; please apply your changes to the latest version and try again";
  const message = `Operation cannot be fulfilled on ${qualifiedName(resource)} "${name}": ${what}`;
  return new ApiError(409, "Conflict", message, about(resource, name, resource.plural));
}

export function uidMismatch(resource: Resource, name: string, asked: string, actual: string): ApiError {
  const what = `the UID in the precondition (${asked}) does not match the UID in record (${actual})`;
  const message = `Operation cannot be fulfilled on ${qualifiedKind(resource)} "${name}": ${what}. The object might have been deleted and then recreated`;
  return new ApiError(409, "Conflict", message, about(resource, name, resource.kind));
}

/** 422 with one cause per field, worded as `field.ErrorList.ToAggregate` does (k8s.io/apimachinery). */
export function invalid(resource: Resource, name: string, causes: StatusCause[]): ApiError {
  const lines = causes.map((cause) => `${cause.field ?? ""}: ${cause.message}`);
  const text = lines.length === 1 ? lines[0]! : `[${lines.join(", ")}]`;
  const details = { ...about(resource, name, resource.kind), causes };
  if (name === "") delete (details as { name?: string }).name;
  return new ApiError(422, "Invalid", `${qualifiedKind(resource)} "${name}" is invalid: ${text}`, details);
}

export function badRequest(message: string): ApiError {
  return new ApiError(400, "BadRequest", message);
}

export function unknownPath(): ApiError {
  return new ApiError(404, "NotFound", "the server could not find the requested resource", {});
}

export function methodNotAllowed(): ApiError {
  return new ApiError(405, "MethodNotAllowed", "the server does not allow this method on the requested resource", {});
}

/** A resourceVersion whose events are not kept any more. */
export function expired(asked: number, oldest: number): ApiError {
  return new ApiError(410, "Expired", `too old resource version: ${asked} (${oldest})`);
}

export function success(details: NonNullable<Status["details"]>): Status {
  return { kind: "Status", apiVersion: "v1", metadata: {}, status: "Success", details };
}
