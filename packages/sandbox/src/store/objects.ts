/** The metadata that the sandbox itself reads or writes; names and meaning are those of the Kubernetes API. */
export interface Metadata {
  name: string;
  generateName?: string;
  namespace: string;
  uid: string;
  resourceVersion: string;
  generation?: number;
  creationTimestamp: string;
  deletionTimestamp?: string;
  deletionGracePeriodSeconds?: number;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  ownerReferences?: OwnerReference[];
  finalizers?: string[];
}

export interface OwnerReference {
  apiVersion: string;
  kind: string;
  name: string;
  uid: string;
  controller?: boolean;
  blockOwnerDeletion?: boolean;
}

/** An object as it is stored: without `apiVersion` and `kind`, which its resource names. */
export interface StoredObject {
  metadata: Metadata;
  [field: string]: unknown;
}
