import { createHash, timingSafeEqual } from "node:crypto";

const TEAM_TOKEN = /^trc_[A-Za-z0-9_-]{43}$/;

/** Makes a team token, `trc_` and 32 random bytes in base64url. It is shown once; only {@link hashSecret} of it is stored. */
export function makeTeamToken(random: (length: number) => Uint8Array): string {
  return `trc_${Buffer.from(random(32)).toString("base64url")}`;
}

export function looksLikeTeamToken(secret: string): boolean {
  return TEAM_TOKEN.test(secret);
}

/** SHA-256; team tokens carry 256 random bits, so that a slow hash would add nothing. */
export function hashSecret(secret: string): Uint8Array {
  return createHash("sha256").update(secret, "utf8").digest();
}

/** Compares in a time that does not depend on where, or in what length, the two differ. */
export function sameSecret(given: string, expected: string): boolean {
  return timingSafeEqual(hashSecret(given), hashSecret(expected));
}
