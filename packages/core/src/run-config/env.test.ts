import { describe, expect, it } from "vitest";
import { REFUSED_ENV_NAMES, envIssues } from "./env.ts";
import { validateK6TestRunConfig } from "./validate.ts";

/** The issues of a config with this env. */
function issues(env: unknown) {
  const validation = validateK6TestRunConfig({ name: "a", script: "b", env });
  return validation.ok ? [] : validation.issues;
}

const many = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, index) => [`N${index}`, ""]));

it.each([
  {},
  { TARGET: "http://10.0.0.1", _: "", a1: '$(id) "quotes" `ticks` \\ \n\r\t ü 😀' },
  { K6_SUMMARY_EXPORT: "stderr", K6_LOG_FORMAT: "json", K6_VUS: "5", ENV: "staging", PATHS: "x", constructor: "y" },
  { BIG: "x".repeat(32_768) },
  many(100),
])("takes case %#", (env) => {
  expect(issues(env)).toEqual([]);
});

const NAME = "must have a name of A-Z, a-z, 0-9 and _ that does not start with a digit";

it.each([
  [null, "env", "env must be an object of strings, got null"],
  [["A=b"], "env", "env must be an object of strings, got an array"],
  [{ A: 1 }, "env.A", "env.A must be a string, got 1"],
  [{ A: null }, "env.A", "env.A must be a string, got null"],
  [{ "1A": "" }, "env.1A", `env.1A ${NAME}, got "1A"`],
  [{ "": "" }, "env.", `env. ${NAME}, got ""`],
  [{ "A-B": "" }, "env.A-B", `env.A-B ${NAME}, got "A-B"`],
  [{ "A=1 ; id": "" }, "env.A=1 ; id", `env.A=1 ; id ${NAME}, got "A=1 ; id"`],
  [{ "A\n": "" }, "env.A\n", `env.A\n ${NAME}, got "A\\n"`],
  [{ A: "\0" }, "env.A", "env.A must not contain NUL, got one at index 0"],
  [{ A: "\udc00" }, "env.A", "env.A must be well-formed Unicode, got half a surrogate pair"],
  [{ A: "x".repeat(32_769) }, "env.A", "env.A must have at most 32,768 bytes, got 32,769"],
  [{ A: "ü".repeat(16_385) }, "env.A", "env.A must have at most 32,768 bytes, got 32,770"],
  [
    { A: "x".repeat(32_768), B: "x".repeat(16_384) },
    "env",
    "env must have at most 49,152 bytes, names and values together, got 49,154",
  ],
  [many(101), "env", "env must have at most 100 names, got 101"],
  [{ PATH: "/tmp" }, "env.PATH", "env.PATH must not be set: the pods would not find k6"],
  [
    { LD_PRELOAD: "x" },
    "env.LD_PRELOAD",
    "env.LD_PRELOAD must not be set: it changes what the programs in the pods load",
  ],
  [
    { K6_LOG_OUTPUT: "stdout" },
    "env.K6_LOG_OUTPUT",
    "env.K6_LOG_OUTPUT must not be set: Tailrace keeps what the container prints, and the initializer's report must be alone on stdout",
  ],
  [
    JSON.parse('{"__proto__":"x","A":"y"}'),
    "env.__proto__",
    "env.__proto__ must not be set: JavaScript takes it for the object's prototype",
  ],
])("refuses case %#", (env, path, message) => {
  expect(issues(env)).toEqual([{ path, message }]);
});

describe("each name that a run may not set", () => {
  it.each(REFUSED_ENV_NAMES)("%s is refused with a reason", (pattern) => {
    const name = pattern.replace("*", "ANY");
    expect(envIssues({ [name]: "1" })).toEqual([
      { path: `env.${name}`, message: expect.stringMatching(new RegExp(`^env\\.${name} must not be set: .{10,}`)) },
    ]);
    expect(envIssues({ [`MY_${name}`]: "1" })).toEqual([]);
  });
});
