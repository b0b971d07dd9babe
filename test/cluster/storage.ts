import type { ApiClient, KubeObject } from './api-client.ts';
import type { Layout } from './layout.ts';
import { makeVolume, removeVolume } from './volumes.ts';

/** A disk that every node reaches: the default class. */
export const networkClass = 'network';
/** A disk of one node, chosen with the first pod that uses it. */
export const localClass = 'local';

const provisioner = 'kafka-warden.io/test-storage';

interface Claim extends KubeObject {
  spec: {
    storageClassName?: string;
    volumeName?: string;
    accessModes: string[];
    resources: { requests: { storage: string } };
  };
}

interface Volume extends KubeObject {
  status?: { phase?: string };
}

/** The two storage classes, as objects to apply. */
export function storageClasses(): object[] {
  const storageClass = (name: string, binding: string, isDefault: boolean) => ({
    apiVersion: 'storage.k8s.io/v1',
    kind: 'StorageClass',
    metadata: { name, annotations: { 'storageclass.kubernetes.io/is-default-class': String(isDefault) } },
    provisioner,
    reclaimPolicy: 'Delete',
    volumeBindingMode: binding,
  });
  return [
    storageClass(networkClass, 'Immediate', true),
    storageClass(localClass, 'WaitForFirstConsumer', false),
  ];
}

/** One pass of the provisioner: a volume for every claim that waits for one, and an end to released volumes. */
export async function reconcileStorage(layout: Layout, api: ApiClient): Promise<void> {
  const claims = await api.list<Claim>('/api/v1/persistentvolumeclaims');
  const volumes = await api.list<Volume>('/api/v1/persistentvolumes');
  const existing = new Set(volumes.map((it) => it.metadata.name));
  const waiting = claims.filter((it) => isWaiting(it) && !existing.has(volumeNameOf(it)));
  await Promise.all(waiting.map((it) => provision(layout, api, it)));
  const released = volumes.filter((it) => it.status?.phase === 'Released' && isOurs(it));
  for (const { metadata } of released) {
    await removeVolume(layout, metadata.name);
    await api.send('DELETE', `/api/v1/persistentvolumes/${metadata.name}`);
  }
}

function isWaiting({ metadata, spec }: Claim): boolean {
  if (spec.volumeName !== undefined || metadata.deletionTimestamp !== undefined) return false;
  if (spec.storageClassName === networkClass) return true;
  return spec.storageClassName === localClass && selectedNode({ metadata }) !== undefined;
}

function isOurs(volume: Volume): boolean {
  return volume.metadata.annotations?.['pv.kubernetes.io/provisioned-by'] === provisioner;
}

function selectedNode({ metadata }: KubeObject): string | undefined {
  return metadata.annotations?.['volume.kubernetes.io/selected-node'];
}

function volumeNameOf({ metadata }: KubeObject): string {
  return `pvc-${metadata.uid}`;
}

async function provision(layout: Layout, api: ApiClient, claim: Claim): Promise<void> {
  const { metadata, spec } = claim;
  const name = volumeNameOf(claim);
  const path = await makeVolume(layout, name, bytesOf(spec.resources.requests.storage));
  const node = selectedNode(claim);
  await api.send('POST', '/api/v1/persistentvolumes', {
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name, annotations: { 'pv.kubernetes.io/provisioned-by': provisioner } },
    spec: {
      capacity: { storage: spec.resources.requests.storage },
      accessModes: spec.accessModes,
      storageClassName: spec.storageClassName,
      persistentVolumeReclaimPolicy: 'Delete',
      claimRef: {
        apiVersion: 'v1',
        kind: 'PersistentVolumeClaim',
        namespace: metadata.namespace,
        name: metadata.name,
        uid: metadata.uid,
      },
      ...(spec.storageClassName === localClass && node !== undefined
        ? { local: { path }, nodeAffinity: onNode(node) }
        : { hostPath: { path, type: 'Directory' } }),
    },
  });
}

function onNode(node: string): object {
  const expression = { key: 'kubernetes.io/hostname', operator: 'In', values: [node] };
  return { required: { nodeSelectorTerms: [{ matchExpressions: [expression] }] } };
}

const units: Record<string, number> = {
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
};

/** Bytes of a Kubernetes quantity such as `1Gi` or `1.5G`. Throws on what is none. */
export function bytesOf(quantity: string): number {
  const [, number, unit] = /^([0-9.]+)([A-Za-z]*)$/.exec(quantity) ?? [];
  const factor = unit === undefined ? undefined : units[unit];
  if (number === undefined || factor === undefined) throw new Error(`${quantity} is not a size in bytes.`);
  return Math.ceil(Number(number) * factor);
}
