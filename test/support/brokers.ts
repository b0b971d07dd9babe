import assert from 'node:assert/strict';
import type { Cluster } from '../cluster/index.ts';
import { until } from './until.ts';

/** Questions about the pods of one hardened StatefulSet. */
export interface Brokers {
  namespace: string;
  set: string;
  pods(): Promise<string[]>;
  /** UID by pod. */
  uids(): Promise<Record<string, string>>;
  nodeOf(pod: string): Promise<string>;
  /** Waits until as many pods are ready as the set wants. */
  ready(timeoutMs?: number): Promise<void>;
  /** Waits until a pod with another UID than before is ready. */
  cameBack(pod: string, oldUid: string, timeoutMs?: number): Promise<void>;
  /** Deletes a pod while its node takes no new ones, and waits until it is ready on another node. */
  move(pod: string): Promise<void>;
  /** Names of the set's ControllerRevisions. */
  revisions(): Promise<string[]>;
}

/** The pods of a StatefulSet, as kubectl sees them. */
export function brokersOf(cluster: Cluster, namespace: string, set: string): Brokers {
  const kubectl = (...args: string[]) => cluster.kubectl(['-n', namespace, ...args]);
  const selector = `kafka-warden.io/node=${set}`;
  const field = async (pod: string, path: string) => kubectl('get', 'pod', pod, '-o', `jsonpath=${path}`);
  const isReady = `{.metadata.uid} {.status.conditions[?(@.type=="Ready")].status}`;
  const pairs = async () =>
    (
      await kubectl(
        'get',
        'pods',
        '-l',
        selector,
        '-o',
        'jsonpath={range .items[*]}{.metadata.name}={.metadata.uid}{"\\n"}{end}',
      )
    )
      .trim()
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => line.split('=') as [string, string]);
  const cameBack = async (pod: string, oldUid: string, timeoutMs = 180_000) => {
    await until(
      `${pod} came back`,
      async () => {
        const [uid, ready] = (await field(pod, isReady)).split(' ');
        return uid !== oldUid && ready === 'True';
      },
      { timeoutMs },
    );
  };
  return {
    namespace,
    set,
    pods: async () => (await pairs()).map(([name]) => name).sort(),
    uids: async () => Object.fromEntries(await pairs()),
    nodeOf: (pod) => field(pod, '{.spec.nodeName}'),
    ready: async (timeoutMs = 180_000) => {
      await until(
        `all pods of ${set} are ready`,
        async () => {
          const text = await kubectl(
            'get',
            'statefulset',
            set,
            '-o',
            'jsonpath={.spec.replicas} {.status.readyReplicas} {.status.replicas} {.metadata.generation} {.status.observedGeneration}',
          );
          const [wanted, ready, made, generation, observed] = text.split(' ');
          return wanted === ready && wanted === made && generation === observed;
        },
        { timeoutMs },
      );
    },
    cameBack,
    move: async (pod) => {
      const uid = await field(pod, '{.metadata.uid}');
      const node = await field(pod, '{.spec.nodeName}');
      await cluster.kubectl(['cordon', node]);
      await kubectl('delete', 'pod', pod, '--wait=false');
      await cameBack(pod, uid);
      await cluster.kubectl(['uncordon', node]);
      assert.notEqual(await field(pod, '{.spec.nodeName}'), node);
    },
    revisions: async () => {
      const text = await kubectl(
        'get',
        'controllerrevisions',
        '-o',
        'jsonpath={range .items[*]}{.metadata.ownerReferences[0].name}={.metadata.name}{"\\n"}{end}',
      );
      return text
        .split('\n')
        .flatMap((line) => (line.startsWith(`${set}=`) ? [line.slice(set.length + 1)] : []))
        .sort();
    },
  };
}

/**
 * Ends all pods of a namespace within seconds. Combined nodes that are all told to end wait for each other: the last one asks a
 * quorum that has left for its controlled shutdown, for up to five minutes (KafkaBroker.shutdown).
 */
export async function endPods(cluster: Cluster, namespace: string): Promise<void> {
  const pods = [
    '-n',
    namespace,
    'get',
    'pods',
    '-l',
    'kafka-warden.io/node',
    '-o',
    'jsonpath={.items[*].metadata.name}',
  ];
  const brokers = (await cluster.kubectl(pods)).split(' ').filter((name) => name !== '');
  await cluster.kubectl(['-n', namespace, 'delete', 'pods', '--all', '--grace-period=1', '--wait=false']);
  // A kubelet that is already waiting for the long grace period may not hear of the shorter one.
  if (cluster.name !== 'external')
    for (const pod of brokers) await cluster.killProcessOf(pod, namespace).catch(() => undefined);
  await until(
    `no pod is left in ${namespace}`,
    async () => (await cluster.kubectl(['-n', namespace, 'get', 'pods', '-o', 'name'])).trim() === '',
    { timeoutMs: 180_000 },
  );
}

/** Deletes a namespace with everything in it, without waiting for controlled shutdowns; nothing where it is gone already. */
export async function deleteNamespace(cluster: Cluster, namespace: string): Promise<void> {
  await cluster.kubectl(['delete', 'namespace', namespace, '--ignore-not-found', '--wait=false']);
  await endPods(cluster, namespace);
  await cluster.kubectl(['wait', `namespace/${namespace}`, '--for=delete', '--timeout=180s']);
}
