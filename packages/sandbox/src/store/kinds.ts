import type { StoredObject } from "./objects.ts";

/** The fields that the sandbox reads, by their names in the Kubernetes API; everything else passes through. */
interface Open {
  [field: string]: unknown;
}

export interface EnvVar {
  name: string;
  value?: string;
  valueFrom?: {
    fieldRef?: { fieldPath: string };
    configMapKeyRef?: { name: string; key: string; optional?: boolean };
  };
}

export interface EnvFromSource {
  prefix?: string;
  configMapRef?: { name: string; optional?: boolean };
}

export interface Resources extends Open {
  limits?: Record<string, string>;
  requests?: Record<string, string>;
}

export interface VolumeMount {
  name: string;
  mountPath: string;
  readOnly?: boolean;
}

export interface Volume extends Open {
  name: string;
  configMap?: { name: string; defaultMode?: number };
}

export interface Probe extends Open {
  httpGet?: { path: string; port: number | string; scheme?: string };
}

export interface Container extends Open {
  name: string;
  image: string;
  command?: string[];
  args?: string[];
  env?: EnvVar[];
  envFrom?: EnvFromSource[];
  resources?: Resources;
  volumeMounts?: VolumeMount[];
  readinessProbe?: Probe;
}

export interface PodSpec extends Open {
  nodeName?: string;
  containers: Container[];
  initContainers?: Container[];
  volumes?: Volume[];
  nodeSelector?: Record<string, string>;
  tolerations?: object[];
  terminationGracePeriodSeconds?: number;
  hostname?: string;
  serviceAccountName?: string;
  automountServiceAccountToken?: boolean;
}

export interface Condition {
  type: string;
  status: string;
  reason?: string;
  message?: string;
  lastTransitionTime?: string;
}

export interface ContainerState {
  waiting?: { reason?: string; message?: string };
  running?: { startedAt: string };
  terminated?: { exitCode: number; reason?: string };
}

export interface ContainerStatus extends Open {
  name: string;
  state?: ContainerState;
  lastState?: ContainerState;
  containerID?: string;
}

export interface PodStatus extends Open {
  phase?: string;
  qosClass?: string;
  podIP?: string;
  conditions?: Condition[];
  initContainerStatuses?: ContainerStatus[];
  containerStatuses?: ContainerStatus[];
}

export interface Pod extends StoredObject {
  spec: PodSpec;
  status: PodStatus;
}

export interface JobSpec extends Open {
  template: { metadata: { labels?: Record<string, string>; annotations?: Record<string, string> }; spec: PodSpec };
}

export interface JobStatus extends Open {
  startTime?: string;
  active?: number;
  conditions?: Condition[];
}

export interface Job extends StoredObject {
  spec: JobSpec;
  status: JobStatus;
}

/** `spec.initializer`, `spec.runner` and `spec.starter` of a TestRun. */
export interface Role extends Open {
  disabled?: boolean;
  image?: string;
  imagePullPolicy?: string;
  metadata?: { labels?: Record<string, string>; annotations?: Record<string, string> };
  env?: EnvVar[];
  envFrom?: EnvFromSource[];
  resources?: Resources;
  volumes?: Volume[];
  volumeMounts?: VolumeMount[];
  initContainers?: (Partial<Container> & { image: string; securityContext?: object; imagePullPolicy?: string })[];
  livenessProbe?: Probe;
  readinessProbe?: Probe;
  serviceAccountName?: string;
  automountServiceAccountToken?: string;
  containerSecurityContext?: object;
}

export interface TestRunSpec extends Open {
  parallelism: number;
  arguments?: string;
  quiet?: string;
  paused?: string;
  cleanup?: string;
  script?: {
    configMap?: { name?: string; file?: string };
    volumeClaim?: { name?: string; file?: string };
    localFile?: string;
  };
  initializer?: Role;
  runner?: Role;
  starter?: Role;
}

export interface TestRunCondition {
  type: string;
  status: "True" | "False" | "Unknown";
  reason: string;
  message: string;
  lastTransitionTime: string;
}

export interface TestRun extends StoredObject {
  spec: TestRunSpec;
  status?: { stage?: string; conditions?: TestRunCondition[] };
}

export interface Service extends StoredObject {
  spec: Open & { clusterIP: string; selector: Record<string, string> };
}

export interface ConfigMap extends StoredObject {
  data?: Record<string, string>;
  binaryData?: Record<string, string>;
}

/** The stored type of each resource. */
export interface Kinds {
  configmaps: ConfigMap;
  pods: Pod;
  services: Service;
  jobs: Job;
  testruns: TestRun;
}
