import type { Deadlines, RunnerSettings } from "@tailrace/core";
import type { Settings } from "./settings/definitions.ts";

/** The images that scenarios may name; the installation's own is always one. */
export function allowedImages({ allowedImages: named, runnerImage }: Settings): string[] {
  return [...new Set([runnerImage, ...(named ?? [])])];
}

/** What the installation decides about the pods of its runs. */
export function runnerSettings(settings: Settings): RunnerSettings {
  return {
    image: settings.runnerImage,
    starterImage: settings.starterImage,
    finalizer: settings.finalizer,
    serviceAccountName: settings.serviceAccount,
    imagePullSecrets: settings.imagePullSecrets,
    securityContext: settings.securityContext,
    containerSecurityContext: settings.containerSecurityContext,
    nodeSelector: settings.nodeSelector,
    tolerations: settings.tolerations,
    defaultResources: settings.defaultResources,
    volumes: settings.volumes,
    volumeMounts: settings.volumeMounts,
  };
}

export function deadlines(settings: Settings): Deadlines {
  return {
    creationMs: settings.deadlineCreationMs,
    initializationMs: settings.deadlineInitializationMs,
    imageMs: settings.deadlineImageMs,
    unscheduledMs: settings.deadlineUnscheduledMs,
    createdMs: settings.deadlineCreatedMs,
    endMs: settings.deadlineEndMs,
    unknownDurationMs: settings.deadlineUnknownDurationMs,
    stopMs: settings.deadlineStopMs,
  };
}
