import { badRequest } from "../api/status.ts";
import type { Pod } from "./kinds.ts";
import type { StoredObject } from "./objects.ts";

/** Decides whether an object is part of a list or watch. */
export type Selector = (object: StoredObject) => boolean;

type Labels = Readonly<Record<string, string>>;
type Requirement = (labels: Labels) => boolean;

/**
 * The selector of a list or watch request.
 *
 * @throws ApiError 400 for what can't be parsed, and for fields other than metadata.name, metadata.namespace and, as an
 * extension of no use to other kinds, status.phase and spec.nodeName
 */
export function parseSelectors(labelSelector: string | undefined, fieldSelector: string | undefined): Selector {
  const labels = parseLabelSelector(labelSelector ?? "");
  const fields = parseFieldSelector(fieldSelector ?? "");
  return (object) =>
    labels.every((meets) => meets(object.metadata.labels ?? {})) && fields.every((meets) => meets(object));
}

/** `a=b,c!=d,e in (f,g),h notin (i),j,!k` as in k8s.io/apimachinery, pkg/labels/selector.go. */
function parseLabelSelector(text: string): Requirement[] {
  return splitOutsideParentheses(text).map((part) => {
    const set = /^([^\s=!,()]+)\s+(in|notin)\s*\(([^()]*)\)$/.exec(part);
    if (set !== null) {
      const key = set[1]!;
      const values = new Set(set[3]!.split(",").map((value) => value.trim()));
      return set[2] === "in"
        ? (labels) => labels[key] !== undefined && values.has(labels[key])
        : (labels) => labels[key] === undefined || !values.has(labels[key]);
    }
    const equality = /^([^\s=!,()]+)\s*(==|=|!=)\s*([^\s=!,()]*)$/.exec(part);
    if (equality !== null) {
      const [, key, operator, value] = equality as unknown as [string, string, string, string];
      return operator === "!=" ? (labels) => labels[key] !== value : (labels) => labels[key] === value;
    }
    const presence = /^(!?)\s*([^\s=!,()]+)$/.exec(part);
    if (presence !== null) {
      const key = presence[2]!;
      return presence[1] === "!" ? (labels) => labels[key] === undefined : (labels) => labels[key] !== undefined;
    }
    const found = /^\S+\s+(\S+)/.exec(part)?.[1] ?? part;
    throw badRequest(`unable to parse requirement: found '${found}', expected: in, notin, =, ==, !=, gt, lt`);
  });
}

function splitOutsideParentheses(text: string): string[] {
  return (text.match(/(?:\([^)]*\)|[^,(])+/g) ?? []).map((part) => part.trim()).filter((part) => part !== "");
}

const FIELDS: Record<string, (object: StoredObject) => string> = {
  "metadata.name": ({ metadata }) => metadata.name,
  "metadata.namespace": ({ metadata }) => metadata.namespace,
  "status.phase": (object) => (object as Pod).status?.phase ?? "",
  "spec.nodeName": (object) => (object as Pod).spec?.nodeName ?? "",
};

function parseFieldSelector(text: string): Selector[] {
  return text
    .split(",")
    .filter((part) => part !== "")
    .map((part) => {
      const match = /^([^=!]+)(==|=|!=)(.*)$/.exec(part);
      if (match === null) throw badRequest(`invalid selector: '${part}'; can't understand '${part}'`);
      const [, label, operator, value] = match as unknown as [string, string, string, string];
      const field = FIELDS[label];
      if (field === undefined) throw badRequest(`field label not supported: ${label}`);
      return operator === "!=" ? (object) => field(object) !== value : (object) => field(object) === value;
    });
}
