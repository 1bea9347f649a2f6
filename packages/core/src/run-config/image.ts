import { quote } from "./text.ts";

/** The form of an image reference: names parted by `/` and `:`, with a tag or a digest. */
export const IMAGE_PATTERN =
  /^(?=.{1,255}$)[a-z0-9][A-Za-z0-9._-]*(?::\d+(?=\/))?(?:\/[a-z0-9._-]+)*(?::[A-Za-z0-9_][A-Za-z0-9_.-]*)?(?:@sha256:[0-9a-f]{64})?$/;

export const IMAGE_RULE = "must be an image reference of at most 255 characters";

/** What is wrong with an image under an installation's allowlist, as a whole sentence; null when it is allowed. */
export function imageProblem(image: string, allowed: readonly string[]): string | null {
  return allowed.includes(image) ? null : `image must be one of ${allowed.join(", ")}, got ${quote(image)}`;
}
