import { TailraceError } from "@tailrace/core";
import type { ApiStore, Principal } from "../context.ts";
import type { AuthSettings } from "../deps.ts";
import { openModeRefusal, type OpenModeHeaders } from "./open-mode.ts";
import { hashSecret, looksLikeTeamToken, sameSecret } from "./secrets.ts";

const BEARER = /^Bearer +([^\s]+)$/i;

/**
 * Says who sends a request, from its headers alone.
 *
 * @throws TailraceError UNAUTHORIZED for a missing or unknown token; FORBIDDEN in mode `none` for a request that could
 * come from another site
 */
export async function authenticate(
  headers: OpenModeHeaders & { authorization?: string | undefined },
  auth: AuthSettings,
  store: Pick<ApiStore, "findToken">,
): Promise<Principal> {
  if (auth.mode === "none") {
    const refusal = openModeRefusal(headers);
    if (refusal !== null) throw new TailraceError("FORBIDDEN", refusal);
    return { kind: "installation" };
  }
  const secret = BEARER.exec(headers.authorization ?? "")?.[1];
  if (secret === undefined) throw new TailraceError("UNAUTHORIZED", "a token is needed: Authorization: Bearer <token>");
  if (sameSecret(secret, auth.adminToken)) return { kind: "installation" };
  const token = looksLikeTeamToken(secret) ? await store.findToken(hashSecret(secret)) : null;
  if (token === null) throw new TailraceError("UNAUTHORIZED", "the token is not known");
  return { kind: "team", teamId: token.teamId, role: token.role };
}
