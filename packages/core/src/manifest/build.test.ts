import { describe, expect, it } from "vitest";
import allSettings from "../../test/fixtures/manifest/all-settings.json" with { type: "json" };
import inputs from "../../test/fixtures/manifest/inputs.json" with { type: "json" };
import oneRunner from "../../test/fixtures/manifest/one-runner.json" with { type: "json" };
import operatorObjects from "../../test/fixtures/manifest/two-runners-operator.json" with { type: "json" };
import twoRunners from "../../test/fixtures/manifest/two-runners.json" with { type: "json" };
import { validateK6TestRunConfig } from "../run-config/validate.ts";
import { operatorNames } from "../run-config/name.ts";
import { type ManifestInput, buildConfigMap, buildTestRun } from "./build.ts";

/** What the API server adds to a TestRun: the defaults of k6-operator's CRD. */
const DEFAULTS = {
  "spec.initializer.disabled": false,
  "spec.starter.disabled": false,
  "spec.runner.disabled": false,
  "spec.paused": "true",
  "spec.quiet": "true",
};

/** Every leaf of an object by its path. */
function leaves(value: unknown, path = ""): [string, unknown][] {
  if (typeof value !== "object" || value === null || Object.keys(value).length === 0) return [[path, value]];
  return Object.entries(value).flatMap(([key, inner]) => leaves(inner, path === "" ? key : `${path}.${key}`));
}

function inputOf(name: keyof typeof inputs): ManifestInput {
  const input = inputs[name];
  const validation = validateK6TestRunConfig(input.config);
  if (!validation.ok) throw new Error(JSON.stringify(validation.issues));
  return { ...input, config: validation.config } as ManifestInput;
}

describe.each([
  ["one-runner", oneRunner],
  ["two-runners", twoRunners],
  ["all-settings", allSettings],
] as const)("%s", (name, accepted) => {
  const [configMap, testRun] = accepted;
  const input = inputOf(name);

  it("builds the ConfigMap that the API server accepted", () => {
    expect(buildConfigMap(input)).toEqual(configMap);
  });

  it("builds a TestRun of which the API server pruned nothing and to which it added its defaults alone", () => {
    expect(Object.fromEntries(leaves(testRun))).toEqual({
      ...DEFAULTS,
      ...Object.fromEntries(leaves(buildTestRun(input))),
    });
  });

  it("labels objects and pods, pins images and mounts no token in all three roles", () => {
    const built = buildTestRun(input);
    const { initializer, starter, runner, ...spec } = built.spec as Record<string, Record<string, unknown>>;
    const labels = {
      "app.kubernetes.io/managed-by": "tailrace",
      "tailrace.dev/step": input.stepId,
      "tailrace.dev/run": input.runId,
      "tailrace.dev/team": input.teamId.replace(/-$/, "Z"),
    };
    const image = input.config.image ?? input.settings.image;
    expect(built.metadata.labels).toEqual(labels);
    expect(initializer).toMatchObject({ metadata: { labels }, automountServiceAccountToken: "false", image });
    expect(runner).toMatchObject({ metadata: { labels }, automountServiceAccountToken: "false", image });
    expect(starter).toMatchObject({
      metadata: { labels },
      automountServiceAccountToken: "false",
      image: "ghcr.io/grafana/k6-operator:latest-starter",
    });
    expect(spec).not.toHaveProperty("cleanup");
  });
});

describe("what k6-operator made of two runners", () => {
  const jobs = operatorObjects.filter(({ kind }) => kind === "Job");
  const input = inputOf("two-runners");
  const names = operatorNames(input.config.name, 2);

  function pod(name: string) {
    const template = jobs.find(({ metadata }) => metadata.name === name)?.spec.template;
    if (template === undefined) throw new Error(`no job ${name}`);
    return { labels: template.metadata.labels, spec: template.spec, container: template.spec.containers[0]! };
  }

  it("has the names that are derived from the TestRun's", () => {
    expect(jobs.map(({ metadata }) => metadata.name).toSorted()).toEqual(
      [names.initializer, names.starter, ...names.runners].toSorted(),
    );
    expect(operatorObjects.flatMap(({ kind, metadata }) => (kind === "Service" ? [metadata.name] : []))).toEqual(
      names.services,
    );
    expect(names.runners.map((name) => pod(name).spec.hostname)).toEqual(names.runners);
  });

  it("has our labels on each role's pods, and no token", () => {
    for (const name of [names.initializer, names.starter, ...names.runners]) {
      expect(pod(name).labels).toMatchObject(buildTestRun(input).metadata.labels);
      expect(pod(name).spec.automountServiceAccountToken).toBe(false);
    }
  });

  it("has our image, probes and resources on the runners", () => {
    for (const name of names.runners) {
      expect(pod(name).container).toMatchObject({
        image: "grafana/k6:2.2.0",
        resources: { requests: { cpu: "50m", memory: "64Mi" }, limits: { memory: "256Mi" } },
        livenessProbe: { httpGet: { path: "/v1/status", port: 6565 }, timeoutSeconds: 10, failureThreshold: 18 },
        readinessProbe: { httpGet: { path: "/v1/status", port: 6565 }, timeoutSeconds: 10, periodSeconds: 2 },
      });
    }
  });

  it("has our arguments as separate tokens, in the runner and in the initializer's shell", () => {
    const runner = pod(names.runners[0]!).container.command;
    expect(runner.slice(5, 9)).toEqual([...input.config.arguments!, "/test/script.js"]);
    const initializer = pod(names.initializer).container.command;
    expect(initializer.slice(0, 2)).toEqual(["sh", "-c"]);
    expect(initializer[2]).toContain(`-O /tmp/script.js.archived.tar ${input.config.arguments!.join(" ")} 2>`);
    expect(initializer[2]).toContain(' -e TARGET="http://10.0.0.1/?a=1&b=\\$$(id)" -e GREETING="');
  });
});

it("names no arguments where there are none", () => {
  const input = inputOf("one-runner");
  for (const config of [input.config, { ...input.config, arguments: [] }])
    expect(buildTestRun({ ...input, config }).spec).not.toHaveProperty("arguments");
});
