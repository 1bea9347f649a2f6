/** What every id (team, scenario, run, step) matches, given by a caller or made here. */
export const ID_PATTERN = /^[a-z0-9][a-z0-9-]{0,62}$/;

/** The rule of {@link ID_PATTERN} in words, for messages. */
export const ID_RULE = "must be 1 to 63 characters of a-z, 0-9 and -, and start with a letter or digit";

const ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz";

/**
 * Makes an id of 16 characters (80 bits) in Crockford's lower-case base 32.
 *
 * @param random - at least 16 random bytes
 */
export function makeId(random: Uint8Array): string {
  if (random.length < 16) throw new RangeError(`makeId needs 16 random bytes, got ${random.length}`);
  return Array.from(random.subarray(0, 16), (byte) => ALPHABET[byte & 31]).join("");
}
