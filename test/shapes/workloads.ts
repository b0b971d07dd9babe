import type { Cluster } from '../cluster/index.ts';
import { keys } from '../../src/names.ts';
import { until } from '../support/until.ts';

/** A pod of a StatefulSet. */
export interface SetPod {
  name: string;
  uid: string;
  set: string;
  ip: string;
  /** One of its containers mounts a claim, whose data stays when the pod goes. */
  claims: boolean;
  /** It serves clients of a hardened cluster. */
  broker: boolean;
  ready: boolean;
  /** Of its container that was started anew most often. */
  restarts: number;
}

interface Pod {
  metadata: {
    name: string;
    uid: string;
    labels?: Record<string, string>;
    ownerReferences?: { kind: string; name: string }[];
  };
  spec: {
    containers: { volumeMounts?: { name: string }[] }[];
    volumes?: { name: string; persistentVolumeClaim?: object }[];
  };
  status?: {
    podIP?: string;
    conditions?: { type: string; status: string }[];
    containerStatuses?: { restartCount: number }[];
  };
}

interface Revision {
  metadata: { name: string; ownerReferences?: { name: string }[] };
}

interface Set {
  metadata: { name: string; generation: number; annotations?: Record<string, string> };
  spec: { replicas: number; template: object };
  status?: { observedGeneration?: number; replicas?: number; readyReplicas?: number };
}

/** Each look starts kubectl, which takes from brokers that are starting what it needs itself. */
const everyMs = 1_500;

/** Some restarts are ordinary: brokers of ZooKeeper exit until it is there. */
const hopelessRestarts = 4;

/** The StatefulSets of one namespace and their pods, as kubectl sees them. */
export interface Workloads {
  pods(): Promise<SetPod[]>;
  /** Templates and profile pins, by the set's name. */
  sets(): Promise<Map<string, { pin: string | undefined; template: string }>>;
  /** Waits until all sets have all their pods ready; throws at once where a pod fails again and again. */
  ready(timeoutMs: number): Promise<void>;
  /** Ends a pod as a user would, and waits until its successor is ready. */
  restart(pod: SetPod, timeoutMs: number): Promise<void>;
  /** UIDs of the pods and names of the revisions, once the controller has seen the last write of every set. */
  settled(): Promise<{ uids: string[]; revisions: string[] }>;
}

export function workloadsOf(cluster: Cluster, namespace: string): Workloads {
  const get = async <T>(kind: string): Promise<T[]> => {
    const text = await cluster.kubectl(['-n', namespace, 'get', kind, '-o', 'json']);
    return (JSON.parse(text) as { items: T[] }).items;
  };
  const pods = async () => (await get<Pod>('pods')).flatMap(setPod);
  const isSettled = ({ metadata, status }: Set) => status?.observedGeneration === metadata.generation;
  const isReady = (set: Set) =>
    isSettled(set) &&
    (set.status?.readyReplicas ?? 0) === set.spec.replicas &&
    (set.status?.replicas ?? 0) === set.spec.replicas;
  return {
    pods,
    sets: async () =>
      new Map(
        (await get<Set>('statefulsets')).map(({ metadata, spec }) => [
          metadata.name,
          { pin: metadata.annotations?.[keys.profile], template: JSON.stringify(spec.template) },
        ]),
      ),
    ready: async (timeoutMs) => {
      const failing = await until(
        'all StatefulSets are ready',
        async () => {
          if ((await get<Set>('statefulsets')).every(isReady)) return [];
          const tired = (await pods()).filter(({ restarts }) => restarts >= hopelessRestarts);
          return tired.length > 0 && tired.map(({ name }) => name);
        },
        { timeoutMs, everyMs },
      );
      if (failing.length > 0) throw new Error(`failing again and again: ${failing.join(', ')}`);
    },
    restart: async ({ name, uid }, timeoutMs) => {
      await cluster.kubectl(['-n', namespace, 'delete', 'pod', name, '--wait=false']);
      await until(
        `${name} came back`,
        async () => (await pods()).some((pod) => pod.name === name && pod.uid !== uid && pod.ready),
        { timeoutMs, everyMs },
      );
    },
    settled: async () => {
      await until('every write was seen', async () => (await get<Set>('statefulsets')).every(isSettled));
      const revisions = (await get<Revision>('controllerrevisions')).map(({ metadata }) => metadata.name);
      return { uids: (await pods()).map(({ name, uid }) => `${name} ${uid}`), revisions: revisions.sort() };
    },
  };
}

function setPod({ metadata, spec, status }: Pod): SetPod[] {
  const owner = metadata.ownerReferences?.find(({ kind }) => kind === 'StatefulSet');
  if (owner === undefined) return [];
  const labels = metadata.labels ?? {};
  return [
    {
      name: metadata.name,
      uid: metadata.uid,
      set: owner.name,
      ip: status?.podIP ?? '',
      claims: mountsClaim(spec),
      broker: keys.broker in labels,
      restarts: Math.max(0, ...(status?.containerStatuses ?? []).map(({ restartCount }) => restartCount)),
      ready: status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false,
    },
  ];
}

function mountsClaim({ containers, volumes = [] }: Pod['spec']): boolean {
  const mounted = containers.flatMap(({ volumeMounts = [] }) => volumeMounts.map(({ name }) => name));
  return volumes.some((volume) => 'persistentVolumeClaim' in volume && mounted.includes(volume.name));
}
