import type { Log } from '../../../kubernetes/object.ts';
import { type MemoryApi, memoryApi } from '../../../kubernetes/test/memory-api.ts';
import { paths } from '../../../kubernetes/paths.ts';
import { keys, objectsOf } from '../../../names.ts';
import { type DisruptionRecord, emptyRecord } from '../../../gate/record.ts';
import { parseRecord, recordText } from '../../../gate/record-json.ts';
import type { ClusterSet } from '../../cluster-set.ts';
import type { Context } from '../../context.ts';
import { createMetrics } from '../../metrics.ts';
import type { ConfigMap, Pod } from '../../objects.ts';
import { clusterSet } from '../../test/sets.ts';
import type { World } from '../../world.ts';
import { type Gate, type GateOptions, gateOf } from '../index.ts';

const silent: Log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
const namespace = 'shop';
const cluster = 'shop';

/** Names are `kafka-N`, UIDs `uid-kafka-N-G`: the G-th pod of that name. */
export function brokerPod(ordinal: number, generation = 1, changes: PodChanges = {}): Pod {
  const { ready = true, terminating = false, phase = 'Running', runs = phase === 'Running' } = changes;
  const { revision = 'r1' } = changes;
  return {
    metadata: {
      name: `kafka-${ordinal}`,
      namespace,
      uid: `uid-kafka-${ordinal}-${generation}`,
      labels: { [keys.node]: cluster, 'controller-revision-hash': revision },
      creationTimestamp: '2026-06-01T00:00:00Z',
      ...(terminating ? { deletionTimestamp: '2026-06-01T01:00:00Z' } : {}),
    },
    spec: { containers: [{ name: 'kafka' }] },
    status: {
      phase,
      conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }],
      containerStatuses: [
        {
          ...{ name: 'kafka', ready, restartCount: 0, image: 'kafka', imageID: '' },
          state: runs ? { running: {} } : { waiting: { reason: changes.failing ?? 'ContainerCreating' } },
        },
      ],
    },
  };
}

export interface PodChanges {
  ready?: boolean;
  terminating?: boolean;
  phase?: string;
  runs?: boolean;
  revision?: string;
  failing?: string;
}

/** A gate over an API server in memory, with the pods of a set of brokers that vote. */
export interface Surroundings {
  readonly api: MemoryApi;
  readonly gate: Gate;
  readonly context: Context;
  readonly set: ClusterSet;
  readonly woken: string[];
  /** Pods as informers and API server have them. */
  setPods(pods: readonly Pod[]): void;
  setWorld(changes: Partial<World>): void;
  /** The set has this template by now, and its controller has seen it. */
  setTemplate(revision: string, partition?: number): void;
  record(): DisruptionRecord;
  putRecord(record: DisruptionRecord | string): void;
  ask(ordinal: number, more?: Partial<Parameters<Gate['decide']>[0]>): ReturnType<Gate['decide']>;
}

export function surroundings(
  options: Pick<GateOptions, 'kafka'> &
    Partial<GateOptions> & { readonly replicas?: number; readonly now?: () => Date },
): Surroundings {
  const { kafka, replicas = 3, now = () => new Date(), periods } = options;
  const api = memoryApi(namespace);
  const set = clusterSet('kafka', {}, replicas);
  let world: World = {
    ...{ sets: [set], pods: [], claims: [], services: [], budgets: [] },
    ...{ users: undefined, rebalances: undefined, kafkaCluster: undefined },
  };
  const context = {
    ...{ namespace, cluster, kube: api.kube, log: silent, now },
    metrics: createMetrics(cluster),
    launchers: [],
    world: () => world,
    reports: { all: () => [], facts: () => ({}) },
  } as unknown as Context;
  const woken: string[] = [];
  const gate = gateOf({
    context,
    kafka,
    ...(options.blocked === undefined ? {} : { blocked: options.blocked }),
    by: options.by ?? 'sidecar-1',
    wake: options.wake ?? ((duty) => void woken.push(duty)),
    ...(periods === undefined ? {} : { periods }),
  });
  const path = paths.configmaps(namespace, objectsOf(cluster).disruption);
  const setPods = (pods: readonly Pod[]) => {
    const before = paths.pods(namespace);
    for (const key of [...api.objects.keys()]) if (key.startsWith(`${before}/`)) api.objects.delete(key);
    for (const pod of pods) api.put(paths.pods(namespace, pod.metadata.name), pod);
    world = { ...world, pods };
  };
  setPods(Array.from({ length: replicas }, (_, ordinal) => brokerPod(ordinal)));
  const setTemplate = (revision: string, partition = 0) => {
    const { metadata, spec } = set.object;
    const object = {
      apiVersion: 'apps/v1',
      kind: 'StatefulSet',
      metadata: { ...metadata, namespace, generation: 1, resourceVersion: '1' },
      spec: { ...spec, updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition } } },
      status: { replicas, observedGeneration: 1, updateRevision: revision },
    } as ClusterSet['object'];
    const path = paths.statefulsets(namespace, 'kafka');
    api.put(path, object);
    const stored = api.objects.get(path)?.metadata;
    world = {
      ...world,
      sets: [{ ...set, object: { ...object, metadata: { ...object.metadata, ...stored } } }],
    };
  };
  return {
    ...{ api, gate, context, set, woken, setPods, setTemplate },
    setWorld: (changes) => void (world = { ...world, ...changes }),
    record: () => {
      const stored = api.objects.get(path) as unknown as ConfigMap | undefined;
      return stored === undefined ? emptyRecord : parseRecord(stored.data?.['record'] ?? '');
    },
    putRecord: (record) =>
      api.put(path, {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name: objectsOf(cluster).disruption, namespace },
        data: { record: typeof record === 'string' ? record : recordText(record) },
      }),
    ask: (ordinal, more = {}) => {
      const pod = world.pods.find(({ metadata }) => metadata.name === `kafka-${ordinal}`);
      return gate.decide({
        pod: `kafka-${ordinal}`,
        podUid: pod?.metadata.uid ?? 'none',
        dryRun: false,
        user: 'drainer',
        node: { name: 'node', cordoned: true, taints: [] },
        ...more,
      });
    },
  };
}
