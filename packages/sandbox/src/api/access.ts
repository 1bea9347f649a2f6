import { ApiError } from "./status.ts";

/** What a request does to a resource, as authorization sees it. */
export interface ResourceAttributes {
  verb: string;
  /** Empty for the core group. */
  group: string;
  resource: string;
  /** Empty for the resource itself. */
  subresource: string;
  /** Undefined in the scope of the cluster. */
  namespace: string | undefined;
  /** Undefined for a collection. */
  name: string | undefined;
}

/** What is denied. */
export interface AccessRule {
  /** (Default: every verb) */
  verb?: string;
  /** (Default: the core group) */
  group?: string;
  resource: string;
  /** (Default: the resource itself, not its subresources) */
  subresource?: string;
}

/** The only user, who may do everything that no rule denies. */
export const USER = "sandbox";

/** Who may do what: everything, but for what is denied. */
export class Access {
  readonly #denied = new Set<AccessRule>();

  /** @returns what lifts the denial */
  deny(rule: AccessRule): () => void {
    const own = { ...rule };
    this.#denied.add(own);
    return () => void this.#denied.delete(own);
  }

  allows({ verb, group, resource, subresource }: ResourceAttributes): boolean {
    return !Array.from(this.#denied).some(
      (rule) =>
        (rule.verb ?? verb) === verb &&
        (rule.group ?? "") === group &&
        rule.resource === resource &&
        (rule.subresource ?? "") === subresource,
    );
  }

  /** @throws ApiError 403 in the API server's words */
  check(attributes: ResourceAttributes): void {
    if (this.allows(attributes)) return;
    const { verb, group, resource, subresource, namespace, name } = attributes;
    const about = `${resource}${group === "" ? "" : `.${group}`}${name === undefined ? "" : ` ${JSON.stringify(name)}`}`;
    const whole = subresource === "" ? resource : `${resource}/${subresource}`;
    const scope = namespace === undefined ? "at the cluster scope" : `in the namespace "${namespace}"`;
    throw new ApiError(
      403,
      "Forbidden",
      `${about} is forbidden: User "${USER}" cannot ${verb} resource "${whole}" in API group "${group}" ${scope}`,
      { ...(name === undefined ? {} : { name }), ...(group === "" ? {} : { group }), kind: resource },
    );
  }
}
