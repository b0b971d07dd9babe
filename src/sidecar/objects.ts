import type {
  V1PersistentVolumeClaim,
  V1Pod,
  V1PodDisruptionBudget,
  V1Service,
  V1StatefulSet,
} from '@kubernetes/client-node';
import type { ObjectMeta } from '../kubernetes/object.ts';

/** Objects as the API sends them: JSON, times as RFC 3339 strings. */
type Received<T extends { metadata?: unknown }> = Omit<T, 'metadata'> & { metadata: Meta };

export type Meta = ObjectMeta & { name: string; uid: string };

export type StatefulSet = Received<V1StatefulSet>;
export type Pod = Received<V1Pod>;
export type Claim = Received<V1PersistentVolumeClaim>;
export type Service = Received<V1Service>;
export type Budget = Received<V1PodDisruptionBudget>;

export interface Secret {
  apiVersion: 'v1';
  kind: 'Secret';
  metadata: ObjectMeta;
  type?: string;
  /** Base64. */
  data?: Record<string, string>;
}

export interface ConfigMap {
  apiVersion: 'v1';
  kind: 'ConfigMap';
  metadata: ObjectMeta;
  immutable?: boolean;
  data?: Record<string, string>;
}

/** The bytes of one entry; undefined where it is missing or empty. */
export function entryOf(secret: Secret | undefined, key: string): Buffer | undefined {
  const text = secret?.data?.[key];
  return text ? Buffer.from(text, 'base64') : undefined;
}

export const base64 = (value: string | Buffer): string => Buffer.from(value).toString('base64');

export const isReady = (pod: Pod): boolean =>
  pod.metadata.deletionTimestamp === undefined &&
  (pod.status?.conditions ?? []).some(({ type, status }) => type === 'Ready' && status === 'True');
