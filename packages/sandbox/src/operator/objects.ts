import type { NewObject } from "../store/store.ts";
import type { Probe, Role, TestRun, TestRunSpec, Volume, VolumeMount } from "../store/kinds.ts";
import type { OwnerReference } from "../store/objects.ts";
import type { ParsedArguments } from "./arguments.ts";
import { initializerCommand, runnerCommand, starterCommand } from "./commands.ts";

const DEFAULT_IMAGE = "grafana/k6:latest";
const DEFAULT_STARTER_IMAGE = "ghcr.io/grafana/k6-operator:latest-starter";

/** The Job `<T>-initializer`. Without a spec of its own it is made like a runner. */
export function initializerJob(testRun: TestRun, args: ParsedArguments): NewObject {
  const role = testRun.spec.initializer ?? testRun.spec.runner ?? {};
  const container = {
    name: "k6",
    image: role.image || DEFAULT_IMAGE,
    command: initializerCommand(testRun.spec, role.env ?? [], args),
    ...k6Container(testRun.spec, role),
  };
  return job(testRun, `${testRun.metadata.name}-initializer`, role, podSpec(testRun.spec, role, container), {});
}

/** The Job `<T>-<index>`. */
export function runnerJob(testRun: TestRun, index: number, args: ParsedArguments): NewObject {
  const role = testRun.spec.runner ?? {};
  const name = `${testRun.metadata.name}-${index}`;
  const container = {
    name: "k6",
    image: role.image || DEFAULT_IMAGE,
    command: runnerCommand(testRun.metadata.name, testRun.spec, index, args),
    ...k6Container(testRun.spec, role),
    livenessProbe: probe(role.livenessProbe),
    readinessProbe: probe(role.readinessProbe),
  };
  const spec = { ...podSpec(testRun.spec, role, container), hostname: name };
  return job(testRun, name, role, spec, { runner: "true" });
}

/** The Service `<T>-service-<index>`. */
export function runnerService(testRun: TestRun, index: number, clusterIP: string): NewObject {
  const { name } = testRun.metadata;
  return {
    metadata: {
      name: `${name}-service-${index}`,
      namespace: testRun.metadata.namespace,
      labels: { ...userLabels(testRun.spec.runner), app: "k6", k6_cr: name, runner: "true" },
      ownerReferences: [owner(testRun)],
    },
    spec: {
      ports: [{ name: "http-api", protocol: "TCP", port: 6565, targetPort: 6565 }],
      selector: { "job-name": `${name}-${index}` },
      clusterIP,
      clusterIPs: [clusterIP],
      type: "ClusterIP",
      sessionAffinity: "None",
      ipFamilies: ["IPv4"],
      ipFamilyPolicy: "SingleStack",
      internalTrafficPolicy: "Cluster",
    },
    status: { loadBalancer: {} },
  };
}

/** The Job `<T>-starter`; its pod has no init containers and no volumes of the script. */
export function starterJob(testRun: TestRun, addresses: string[]): NewObject {
  const role = testRun.spec.starter ?? {};
  const container = {
    name: "k6-curl",
    image: role.image || DEFAULT_STARTER_IMAGE,
    command: starterCommand(addresses),
    ...(role.env ? { env: role.env } : {}),
    resources: { limits: { cpu: "100m", memory: "200Mi" }, requests: { cpu: "50m", memory: "2Mi" } },
    ...containerDefaults(role),
  };
  const spec = podDefaults(role, { containers: [container] });
  return job(testRun, `${testRun.metadata.name}-starter`, role, spec, {});
}

function job(testRun: TestRun, name: string, role: Role, spec: object, roleLabels: Record<string, string>): NewObject {
  const labels = { ...userLabels(role), app: "k6", k6_cr: testRun.metadata.name, ...roleLabels };
  const annotations = role.metadata?.annotations;
  return {
    metadata: {
      name,
      namespace: testRun.metadata.namespace,
      labels,
      ...(annotations ? { annotations } : {}),
      ownerReferences: [owner(testRun)],
    },
    spec: {
      parallelism: 1,
      completions: 1,
      backoffLimit: 0,
      manualSelector: false,
      template: { metadata: { labels, ...(annotations ? { annotations } : {}) }, spec },
      completionMode: "NonIndexed",
      suspend: false,
      podReplacementPolicy: "TerminatingOrFailed",
    },
    status: {},
  };
}

/** What initializer and runner containers share. */
function k6Container(spec: TestRunSpec, role: Role): object {
  return {
    ports: [{ containerPort: 6565, protocol: "TCP" }],
    ...(role.env ? { env: role.env } : {}),
    ...(role.envFrom ? { envFrom: role.envFrom } : {}),
    resources: role.resources ?? {},
    volumeMounts: mounts(spec, role),
    ...containerDefaults(role),
  };
}

function podSpec(spec: TestRunSpec, role: Role, container: object): object {
  const initContainers = (role.initContainers ?? []).map((init, index) => ({
    name: init.name || `k6-init-${index}`,
    image: init.image,
    ...defined({
      command: init.command,
      args: init.args,
      workingDir: init.workingDir,
      env: init.env,
      envFrom: init.envFrom,
    }),
    resources: init.resources ?? {},
    volumeMounts: [...mounts(spec, {}), ...(init.volumeMounts ?? [])],
    ...containerDefaults({
      image: init.image,
      ...(init.securityContext ? { containerSecurityContext: init.securityContext } : {}),
      ...(init.imagePullPolicy ? { imagePullPolicy: init.imagePullPolicy } : {}),
    }),
  }));
  const script = scriptVolume(spec);
  const volumes = [...(script ? [script] : []), ...(role.volumes ?? [])];
  return podDefaults(role, {
    ...(volumes.length ? { volumes } : {}),
    ...(initContainers.length ? { initContainers } : {}),
    containers: [container],
  });
}

/** What the API server adds to every pod template of the operator's. */
function podDefaults(role: Role, spec: object): object {
  const account = role.serviceAccountName || "default";
  return {
    ...spec,
    restartPolicy: "Never",
    terminationGracePeriodSeconds: 30,
    dnsPolicy: "ClusterFirst",
    serviceAccountName: account,
    serviceAccount: account,
    automountServiceAccountToken: role.automountServiceAccountToken !== "false",
    securityContext: role.securityContext ?? {},
    schedulerName: role.schedulerName || "default-scheduler",
    ...defined({
      nodeSelector: role.nodeSelector,
      tolerations: role.tolerations,
      affinity: role.affinity,
      imagePullSecrets: role.imagePullSecrets,
      priorityClassName: role.priorityClassName,
      topologySpreadConstraints: role.topologySpreadConstraints,
    }),
  };
}

function containerDefaults(role: Role): object {
  const latest = !/:[^/]+$/.test(role.image ?? "") || String(role.image).endsWith(":latest");
  return {
    terminationMessagePath: "/dev/termination-log",
    terminationMessagePolicy: "File",
    imagePullPolicy: role.imagePullPolicy || (role.image !== undefined && latest ? "Always" : "IfNotPresent"),
    securityContext: role.containerSecurityContext ?? {},
  };
}

function probe(given: Probe | undefined): object {
  const { httpGet = { path: "/v1/status", port: 6565 }, ...times } = given ?? {};
  return {
    httpGet: { ...httpGet, scheme: httpGet.scheme ?? "HTTP" },
    timeoutSeconds: 1,
    periodSeconds: 10,
    successThreshold: 1,
    failureThreshold: 3,
    ...times,
  };
}

function scriptVolume({ script }: TestRunSpec): Volume | undefined {
  if (script?.volumeClaim?.name)
    return { name: "k6-test-volume", persistentVolumeClaim: { claimName: script.volumeClaim.name } };
  if (script?.configMap?.name)
    return { name: "k6-test-volume", configMap: { name: script.configMap.name, defaultMode: 420 } };
  return undefined;
}

function mounts(spec: TestRunSpec, role: Role): VolumeMount[] {
  const script = scriptVolume(spec) ? [{ name: "k6-test-volume", readOnly: true, mountPath: "/test" }] : [];
  return [...script, ...(role.volumeMounts ?? [])];
}

function userLabels(role: Role | undefined): Record<string, string> {
  return role?.metadata?.labels ?? {};
}

function owner(testRun: TestRun): OwnerReference {
  const { name, uid } = testRun.metadata;
  return { apiVersion: "k6.io/v1alpha1", kind: "TestRun", name, uid, controller: true, blockOwnerDeletion: true };
}

function defined(fields: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}
