import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { K6TestRunConfig } from "./config.ts";
import { operatorNames } from "./name.ts";
import { scenarioConfigSchema } from "./schema.ts";
import { k6TestRunConfigJsonSchema, validateK6TestRunConfig } from "./validate.ts";

const base: K6TestRunConfig = { name: "smoke", script: "export default function () {}" };

/** The messages of a config that is right but for these fields. */
function messages(fields: Record<string, unknown>, limits?: { allowedImages: string[] }): string[] {
  const validation = validateK6TestRunConfig({ ...base, ...fields }, limits);
  return validation.ok ? [] : validation.issues.map(({ message }) => message);
}

const NAME =
  "must be 1 to 51 characters of a-z, 0-9 and -, start with a letter, end with a letter or digit and not start with plz-test-";

describe("a whole config", () => {
  it("gets the default of parallelism and is otherwise as it was given", () => {
    expect(validateK6TestRunConfig(base)).toEqual({ ok: true, config: { ...base, parallelism: 1 } });
    const full = {
      ...base,
      parallelism: 3,
      arguments: ["--vus", "5"],
      env: { TARGET: "http://10.0.0.1" },
      resources: { requests: { cpu: "1" }, limits: { cpu: "1", memory: "1Gi" } },
      image: "grafana/k6:2.2.0",
    };
    expect(validateK6TestRunConfig(full)).toEqual({ ok: true, config: full });
  });

  it("names every wrong field once", () => {
    expect(
      validateK6TestRunConfig({ parallelism: "3", arguments: {}, cleanup: "post", resources: { claims: [] } }),
    ).toEqual({
      ok: false,
      issues: [
        { path: "name", message: `name is required and ${NAME}` },
        { path: "script", message: "script is required and must be a text of 1 to 1,048,576 bytes in UTF-8" },
        { path: "arguments", message: "arguments must be an array of at most 100 strings, got an object" },
        { path: "resources.claims", message: 'unknown field "claims"' },
        { path: "parallelism", message: 'parallelism must be an integer from 1 to 10, got the string "3"' },
        { path: "cleanup", message: 'unknown field "cleanup"' },
      ],
    });
  });

  it.each([
    [null, "null"],
    [[], "an array"],
    ["{}", 'the string "{}"'],
    [undefined, "nothing"],
  ])("must be an object: %j", (input, got) => {
    const issues = [{ path: "", message: `the input must be an object, got ${got}` }];
    expect(validateK6TestRunConfig(input)).toEqual({ ok: false, issues });
  });

  it.each(["foo", "namespace", "serviceAccountName", "__proto__"])("has no field %s", (field) => {
    const input: unknown = JSON.parse(`{"name":"a","script":"b",${JSON.stringify(field)}:1}`);
    expect(validateK6TestRunConfig(input)).toEqual({
      ok: false,
      issues: [{ path: field, message: `unknown field "${field}"` }],
    });
  });

  it("is described by a JSON Schema with the same limits", () => {
    expect(k6TestRunConfigJsonSchema).toMatchObject({
      type: "object",
      required: ["name", "script"],
      additionalProperties: false,
      properties: {
        parallelism: { type: "integer", minimum: 1, maximum: 10, default: 1 },
        script: { type: "string", minLength: 1, maxLength: 1_048_576 },
        arguments: { type: "array", maxItems: 100, items: { type: "string", maxLength: 1024 } },
        env: { type: "object", additionalProperties: { type: "string" } },
      },
    });
    expect(JSON.parse(JSON.stringify(k6TestRunConfigJsonSchema))).toEqual(k6TestRunConfigJsonSchema);
  });

  it("of a scenario is the same without a name and without defaults", () => {
    expect(scenarioConfigSchema.parse({ script: "x" })).toEqual({ script: "x" });
    expect(scenarioConfigSchema.safeParse({ script: "x", name: "y" }).success).toBe(false);
  });
});

describe("parallelism", () => {
  it.each([1, 2, 10, undefined])("may be %s", (parallelism) => {
    expect(messages({ parallelism })).toEqual([]);
  });

  it.each([
    [0, "0"],
    [11, "11"],
    [-1, "-1"],
    [1.5, "1.5"],
    [1e300, "1e+300"],
    [Number.NaN, "NaN"],
    [Number.POSITIVE_INFINITY, "Infinity"],
    ["3", 'the string "3"'],
    ["", 'the string ""'],
    [null, "null"],
    [true, "the boolean true"],
    [[3], "an array"],
    [{}, "an object"],
    [3n, "the bigint 3"],
  ])("may not be %s", (parallelism, got) => {
    expect(messages({ parallelism })).toEqual([`parallelism must be an integer from 1 to 10, got ${got}`]);
  });
});

describe("name", () => {
  it.each(["a", "a1", "k6-load-0123", "a".repeat(51), "plz-tester"])("may be %s", (name) => {
    expect(messages({ name })).toEqual([]);
  });

  it.each(["", "1a", "-a", "a-", "A", "a.b", "a_b", "ä", "a".repeat(52), "plz-test-1", "a\n"])(
    "may not be %j",
    (name) => {
      expect(messages({ name })).toEqual([`name ${NAME}, got the string ${JSON.stringify(name)}`]);
    },
  );

  it("makes valid names of everything that the operator derives from it", () => {
    fc.assert(
      fc.property(
        fc.stringMatching(/^[a-z](?:[a-z0-9-]{0,49}[a-z0-9])?$/),
        fc.integer({ min: 1, max: 10 }),
        (name, parallelism) => {
          fc.pre(!name.startsWith("plz-test-"));
          expect(messages({ name })).toEqual([]);
          const { initializer, starter, stopper, runners, services } = operatorNames(name, parallelism);
          expect([runners.length, services.length]).toEqual([parallelism, parallelism]);
          for (const derived of [name, initializer, starter, stopper, ...runners, ...services]) {
            expect(derived).toMatch(/^[a-z]([-a-z0-9]*[a-z0-9])?$/);
            expect(derived.length).toBeLessThanOrEqual(63);
          }
        },
      ),
    );
  });
});

describe("script", () => {
  const rule = "must be a text of 1 to 1,048,576 bytes in UTF-8";

  it.each([
    ["one byte", "x"],
    ["1 MiB", "x".repeat(1_048_576)],
    ["1 MiB of two-byte characters", "ü".repeat(524_288)],
    ["1 MiB of what JSON writes with two bytes", '"'.repeat(1_048_576)],
    ["lines of all kinds", "a\r\nb\n\u2028c\t😀"],
  ])("may be %s", (_, script) => {
    expect(messages({ script })).toEqual([]);
  });

  it.each([
    ["empty", "", `script ${rule}, got 0 bytes`],
    ["a byte too long", "x".repeat(1_048_577), `script ${rule}, got 1,048,577 bytes`],
    ["too long in UTF-8 alone", "ü".repeat(524_289), `script ${rule}, got 1,048,578 bytes`],
    ["half a surrogate pair", "a\ud83d", "script must be well-formed Unicode, got half a surrogate pair"],
    ["NUL", "ab\0", "script must not contain NUL, got one at index 2"],
    [
      "too long for a request",
      "\u0001".repeat(600_000),
      "script must have at most 3,141,632 bytes with its control characters escaped for JSON, got 3,600,002 bytes",
    ],
    ["a number", 3, `script ${rule}, got 3`],
    ["null", null, `script ${rule}, got null`],
  ])("may not be %s", (_, script, message) => {
    expect(messages({ script })).toEqual([message]);
  });
});

describe("resources", () => {
  it.each([
    {},
    { requests: {} },
    { requests: { cpu: "500m", memory: "256Mi" }, limits: { cpu: "0.5", memory: "268435456" } },
    { limits: { cpu: "1024", memory: "16Ti" } },
    { requests: { memory: "1Gi" }, limits: { memory: "1.1e9" } },
  ])("may be %j", (resources) => {
    expect(messages({ resources })).toEqual([]);
  });

  it.each([
    [3, "resources must be an object with requests and limits, got 3"],
    [{ limits: "1" }, 'resources.limits must be an object with cpu and memory, got the string "1"'],
    [{ limits: { cpu: 1 } }, "resources.limits.cpu must be a Kubernetes quantity from 1m to 1024, got 1"],
    [
      { limits: { cpu: "0" } },
      'resources.limits.cpu must be a Kubernetes quantity from 1m to 1024, got the string "0"',
    ],
    [
      { limits: { cpu: "-1" } },
      'resources.limits.cpu must be a Kubernetes quantity from 1m to 1024, got the string "-1"',
    ],
    [
      { requests: { memory: "512m" } },
      'resources.requests.memory must be a Kubernetes quantity from 1Mi to 16Ti, got the string "512m"',
    ],
    [
      { requests: { memory: "1GB" } },
      'resources.requests.memory must be a Kubernetes quantity from 1Mi to 16Ti, got the string "1GB"',
    ],
    [{ requests: { gpu: "1" } }, 'unknown field "gpu"'],
    [
      { requests: { cpu: "1.001" }, limits: { cpu: "1" } },
      "resources.requests.cpu must not be above resources.limits.cpu (1), got 1.001",
    ],
    [
      { requests: { memory: "1Gi" }, limits: { memory: "1G" } },
      "resources.requests.memory must not be above resources.limits.memory (1G), got 1Gi",
    ],
  ])("may not be %j", (resources, message) => {
    expect(messages({ resources })).toEqual([message]);
  });
});

describe("image", () => {
  it.each(["grafana/k6:2.2.0", "k6", "registry.example:5000/a/b:c", `k6@sha256:${"0".repeat(64)}`])(
    "may be %s",
    (image) => {
      expect(messages({ image })).toEqual([]);
      expect(messages({ image }, { allowedImages: ["other", image] })).toEqual([]);
    },
  );

  it.each(["", "a b", "-a", "a:b:c", "a@sha256:0", "a".repeat(256)])("may not be %j", (image) => {
    const shown = image.length > 60 ? `"${image.slice(0, 60)}"…` : JSON.stringify(image);
    expect(messages({ image })).toEqual([
      `image must be an image reference of at most 255 characters, got the string ${shown}`,
    ]);
  });

  it("must be one that the installation allows, all of which are named", () => {
    const limits = { allowedImages: ["grafana/k6:2.2.0", "grafana/k6:2.1.0"] };
    expect(messages({ image: "grafana/k6:latest" }, limits)).toEqual([
      'image must be one of grafana/k6:2.2.0, grafana/k6:2.1.0, got "grafana/k6:latest"',
    ]);
    expect(messages({}, limits)).toEqual([]);
  });
});
