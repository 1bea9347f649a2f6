import type { ConfigMap } from "../store/kinds.ts";
import type { StoredObject } from "../store/objects.ts";
import type { NewObject } from "../store/store.ts";
import { apiVersion, RESOURCES, type ResourceName } from "./resources.ts";
import { badRequest, invalid, type StatusCause } from "./status.ts";

const MAX_CONFIG_MAP_BYTES = 1_048_576;

const SUBDOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const SUBDOMAIN_RULE =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const LABEL = /^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$/;
const LABEL_RULE =
  "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";
const KEY = /^[-._a-zA-Z0-9]+$/;
const KEY_RULE =
  "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')";

/**
 * What a client sends to create an object, checked as far as the fields that Tailrace sets.
 *
 * @throws ApiError 400 for another kind or namespace, 422 with one cause per field
 */
export function acceptNew(resource: ResourceName, namespace: string, body: unknown): NewObject {
  const { kind } = RESOURCES[resource];
  const given = body as (Partial<StoredObject> & { kind?: string; apiVersion?: string }) | null;
  if (
    typeof given !== "object" ||
    given === null ||
    given.kind !== kind ||
    given.apiVersion !== apiVersion(RESOURCES[resource])
  ) {
    throw badRequest(`the object provided is unrecognized (must be of type ${kind}): couldn't get version/kind`);
  }
  const { kind: _kind, apiVersion: _version, metadata, status: _status, ...fields } = given;
  const own = metadata?.namespace;
  if (own !== undefined && own !== namespace)
    throw badRequest(`the namespace of the provided object does not match the namespace sent on the request`);
  const { name, generateName, labels, annotations, finalizers, ownerReferences } = metadata ?? {};
  const kept = Object.fromEntries(
    Object.entries({ name, generateName, labels, annotations, finalizers, ownerReferences }).filter(
      ([, value]) => value !== undefined,
    ),
  );
  const object: NewObject = { metadata: { ...kept, namespace }, ...fields };
  refuse(resource, object);
  return object;
}

/** @throws ApiError 422 */
export function refuse(resource: ResourceName, object: NewObject): void {
  const causes = [
    ...metadataCauses(object.metadata),
    ...(resource === "configmaps" ? configMapCauses(object) : []),
    ...(resource === "testruns" ? testRunCauses(object) : []),
  ];
  if (causes.length > 0) throw invalid(RESOURCES[resource], object.metadata.name ?? "", causes);
}

function metadataCauses({ name, generateName, labels }: NewObject["metadata"]): StatusCause[] {
  const causes: StatusCause[] = [];
  if (name === undefined && generateName === undefined) {
    causes.push({
      reason: "FieldValueRequired",
      message: "Required value: name or generateName is required",
      field: "metadata.name",
    });
  } else if (name !== undefined && (!SUBDOMAIN.test(name) || name.length > 253)) {
    causes.push(bad("metadata.name", name, name.length > 253 ? "must be no more than 253 bytes" : SUBDOMAIN_RULE));
  }
  for (const value of Object.values(labels ?? {})) {
    if (value.length > 63) causes.push(bad("metadata.labels", value, "must be no more than 63 bytes"));
    else if (!LABEL.test(value)) causes.push(bad("metadata.labels", value, LABEL_RULE));
  }
  return causes;
}

function configMapCauses(object: NewObject): StatusCause[] {
  const { data = {}, binaryData = {} } = object as Pick<ConfigMap, "data" | "binaryData">;
  const causes = [...Object.keys(data), ...Object.keys(binaryData)]
    .filter((key) => !KEY.test(key))
    .map((key) => bad(`data[${key}]`, key, KEY_RULE));
  const texts = Object.values(data).reduce((sum, value) => sum + Buffer.byteLength(value), 0);
  const binaries = Object.values(binaryData).reduce((sum, value) => sum + Buffer.from(value, "base64").length, 0);
  if (texts + binaries > MAX_CONFIG_MAP_BYTES)
    causes.push({
      reason: "FieldValueTooLong",
      message: `Too long: may not be more than ${MAX_CONFIG_MAP_BYTES} bytes`,
      field: "[]",
    });
  return causes;
}

/** What the CRD's schema says of the fields at the top of `spec`. */
function testRunCauses(object: NewObject): StatusCause[] {
  const spec = (object.spec ?? {}) as Record<string, unknown>;
  const missing = ["parallelism", "script"].filter((field) => spec[field] === undefined);
  const causes: StatusCause[] = missing.map((field) => ({
    reason: "FieldValueRequired",
    message: "Required value",
    field: `spec.${field}`,
  }));
  const types: Record<string, string> = {
    parallelism: "integer",
    arguments: "string",
    quiet: "string",
    paused: "string",
    separate: "boolean",
    runner: "object",
    initializer: "object",
    starter: "object",
    script: "object",
  };
  for (const [field, type] of Object.entries(types)) {
    const actual = schemaType(spec[field]);
    if (spec[field] === undefined || actual === type) continue;
    const message = `Invalid value: "${actual}": spec.${field} in body must be of type ${type}: "${actual}"`;
    causes.push({ reason: "FieldValueTypeInvalid", message, field: `spec.${field}` });
  }
  if (spec.cleanup !== undefined && spec.cleanup !== "post") {
    causes.push({
      reason: "FieldValueNotSupported",
      message: `Unsupported value: ${JSON.stringify(spec.cleanup)}: supported values: "post"`,
      field: "spec.cleanup",
    });
  }
  return causes;
}

function schemaType(value: unknown): string {
  if (Array.isArray(value)) return "array";
  if (value === null) return "null";
  return Number.isInteger(value) ? "integer" : typeof value;
}

function bad(field: string, value: string, rule: string): StatusCause {
  return { reason: "FieldValueInvalid", message: `Invalid value: ${JSON.stringify(value)}: ${rule}`, field };
}
