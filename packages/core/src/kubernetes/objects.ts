/** The parts of Kubernetes objects that Tailrace reads, by their names in the Kubernetes API. Times are RFC 3339 strings. */
export interface ObjectMeta {
  name: string;
  namespace?: string;
  uid: string;
  resourceVersion?: string;
  creationTimestamp?: string;
  deletionTimestamp?: string;
  labels?: Record<string, string>;
  finalizers?: string[];
  ownerReferences?: { apiVersion: string; kind: string; name: string; uid: string; controller?: boolean }[];
}

/** What tells whose an object is. */
export interface LabelledObject {
  metadata: Pick<ObjectMeta, "name" | "uid" | "labels">;
}

/** `k6.io/v1alpha1` TestRun. */
export interface TestRunObject {
  metadata: ObjectMeta;
  spec?: { parallelism?: number; [field: string]: unknown };
  status?: { stage?: string; [field: string]: unknown };
}

/** `batch/v1` Job. */
export interface JobObject {
  metadata: ObjectMeta;
  status?: { active?: number; succeeded?: number; failed?: number };
}

export interface ContainerState {
  waiting?: { reason?: string; message?: string };
  running?: { startedAt?: string };
  terminated?: {
    exitCode: number;
    signal?: number;
    reason?: string;
    message?: string;
    startedAt?: string;
    finishedAt?: string;
  };
}

export interface ContainerStatus {
  name: string;
  restartCount: number;
  state?: ContainerState;
  lastState?: ContainerState;
  image?: string;
  containerID?: string;
}

/** `v1` Pod. */
export interface PodObject {
  metadata: ObjectMeta;
  spec?: {
    nodeName?: string;
    containers: { name: string; image?: string }[];
    initContainers?: { name: string; image?: string; restartPolicy?: string }[];
  };
  status?: {
    phase?: string;
    reason?: string;
    message?: string;
    /** The address of the pod's node. */
    hostIP?: string;
    conditions?: { type: string; status: string; reason?: string; message?: string; lastTransitionTime?: string }[];
    containerStatuses?: ContainerStatus[];
    initContainerStatuses?: ContainerStatus[];
  };
}

/** A manifest to create; the server adds the rest. */
export interface ConfigMapManifest {
  apiVersion: "v1";
  kind: "ConfigMap";
  metadata: { name: string; labels: Record<string, string> };
  data: Record<string, string>;
}

export interface TestRunManifest {
  apiVersion: "k6.io/v1alpha1";
  kind: "TestRun";
  metadata: { name: string; labels: Record<string, string>; finalizers?: string[] };
  spec: Record<string, unknown>;
}
