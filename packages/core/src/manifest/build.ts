import type { ConfigMapManifest, TestRunManifest } from "../kubernetes/objects.ts";
import type { ValidK6TestRunConfig } from "../run-config/config.ts";
import { FINALIZER, stepLabels } from "./labels.ts";
import { LIVENESS_PROBE, READINESS_PROBE } from "./probes.ts";
import { effectiveResources } from "./resources.ts";
import type { RunnerSettings } from "./settings.ts";
import { containerEnvValue, initializerEnvValue } from "./shell.ts";

/** Everything that one step's objects are made of. */
export interface ManifestInput {
  config: ValidK6TestRunConfig;
  stepId: string;
  runId: string;
  teamId: string;
  settings: RunnerSettings;
}

/** The key of the script in its ConfigMap, and so its file's name in the pods. */
export const SCRIPT_KEY = "script.js";

/** The ConfigMap of the script, named like the TestRun. Nothing owns it: who deletes the TestRun deletes it too. */
export function buildConfigMap(input: ManifestInput): ConfigMapManifest {
  return {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: input.config.name, labels: stepLabels(input) },
    data: { [SCRIPT_KEY]: input.config.script },
  };
}

/**
 * The TestRun. `initializer` is always there, since k6-operator would copy it from `runner`; `cleanup` never is, since
 * the operator would delete logs and exit codes before they are read.
 */
export function buildTestRun(input: ManifestInput): TestRunManifest {
  const { config, settings } = input;
  const labels = stepLabels(input);
  const k6 = k6Pod(input);
  const env = Object.entries(config.env ?? {});
  return {
    apiVersion: "k6.io/v1alpha1",
    kind: "TestRun",
    metadata: { name: config.name, labels, ...(settings.finalizer === true ? { finalizers: [FINALIZER] } : {}) },
    spec: {
      script: { configMap: { name: config.name, file: SCRIPT_KEY } },
      parallelism: config.parallelism,
      ...(config.arguments?.length ? { arguments: config.arguments.join(" ") } : {}),
      initializer: { ...k6, env: env.map(([name, value]) => ({ name, value: initializerEnvValue(value) })) },
      starter: { ...anyPod(settings, labels), image: settings.starterImage },
      runner: {
        ...k6,
        env: [
          { name: "K6_NO_USAGE_REPORT", value: "true" },
          ...env.map(([name, value]) => ({ name, value: containerEnvValue(value) })),
        ],
        livenessProbe: LIVENESS_PROBE,
        readinessProbe: READINESS_PROBE,
      },
    },
  };
}

/** What initializer and runners share. */
function k6Pod({ config, settings, ...ids }: ManifestInput): Record<string, unknown> {
  return {
    ...anyPod(settings, stepLabels(ids)),
    image: config.image ?? settings.image,
    ...defined({
      resources: effectiveResources(config.resources, settings.defaultResources),
      volumes: settings.volumes,
      volumeMounts: settings.volumeMounts,
    }),
  };
}

/** What the pods of all three roles share. */
function anyPod(settings: RunnerSettings, labels: Record<string, string>): Record<string, unknown> {
  return {
    metadata: { labels },
    // A string in the operator's API.
    automountServiceAccountToken: "false",
    ...defined({
      serviceAccountName: settings.serviceAccountName,
      imagePullPolicy: settings.imagePullPolicy,
      imagePullSecrets: settings.imagePullSecrets?.map((name) => ({ name })),
      securityContext: settings.securityContext,
      containerSecurityContext: settings.containerSecurityContext,
      nodeSelector: settings.nodeSelector,
      tolerations: settings.tolerations,
    }),
  };
}

function defined(fields: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}
