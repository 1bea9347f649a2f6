import { randomBytes } from "node:crypto";
import { describe, expect, it } from "vitest";
import { hashSecret, looksLikeTeamToken, makeTeamToken, sameSecret } from "../src/auth/secrets.ts";

describe("secrets", () => {
  it("makes tokens of 32 random bytes that look like tokens", () => {
    const token = makeTeamToken((length) => new Uint8Array(length).fill(0xfb));
    expect(token).toBe(`trc_${Buffer.alloc(32, 0xfb).toString("base64url")}`);
    expect(looksLikeTeamToken(token)).toBe(true);
    expect(makeTeamToken(randomBytes)).not.toBe(makeTeamToken(randomBytes));
  });

  it.each([
    "",
    "trc_",
    `trc_${"a".repeat(42)}`,
    `trc_${"a".repeat(44)}`,
    `trc_${"+".repeat(43)}`,
    ` trc_${"a".repeat(43)}`,
  ])("does not take %j for one", (text) => expect(looksLikeTeamToken(text)).toBe(false));

  it("compares secrets of any length", () => {
    expect(sameSecret("a", "a")).toBe(true);
    for (const other of ["", "b", "aa", "a\0", "A"]) expect(sameSecret(other, "a")).toBe(false);
  });

  it("stores SHA-256", () => {
    expect(Buffer.from(hashSecret("abc")).toString("hex")).toBe(
      "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
    );
  });
});
