import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type FeatureUpdate, type KafkaAdmin, KafkaError } from '../../kafka/index.ts';
import type { Kube } from '../../kubernetes/client.ts';
import { keys } from '../../names.ts';
import type { ClusterSet } from '../cluster-set.ts';
import type { Context, Facts } from '../context.ts';
import type { Pod } from '../objects.ts';
import { clusterSet } from '../test/sets.ts';
import { featuresDuty } from './index.ts';
import { staleIn } from './listen.ts';

/** A cluster of three combined nodes, whose software a test changes under them. */
class Cluster {
  levels = [21, 21, 21];
  finalized = new Map([['metadata.version', 21]]);
  mode: 'kraft' | 'zookeeper' = 'kraft';
  isAway = false;
  underReplicated = 0;
  refusal: string | undefined;
  strangers: number[] = [];
  image = 'apache/kafka:3.9.1';
  podImages = ['apache/kafka:3.9.1', 'apache/kafka:3.9.1', 'apache/kafka:3.9.1'];
  annotations: Record<string, string> = {};
  revision = 'a';
  podRevisions = ['a', 'a', 'a'];
  holder: object | undefined;
  status: Facts & { metadataVersion?: string } = {};
  readonly updates: { update: FeatureUpdate; validateOnly: boolean }[] = [];
  readonly defaults: string[] = [];
  readonly events: string[] = [];

  get set(): ClusterSet {
    const made = clusterSet('kafka');
    const { metadata, spec } = made.object;
    const container = { name: 'kafka', image: this.image, env: [{ name: 'WARDEN_POD', value: 'x' }] };
    const template = { ...spec?.template, spec: { containers: [container] } };
    return {
      ...made,
      object: {
        metadata: {
          ...metadata,
          generation: 1,
          annotations: { ...this.annotations, [keys.layout]: JSON.stringify(made.layout) },
        },
        spec: { ...spec!, template },
        status: { replicas: 3, observedGeneration: 1, updateRevision: this.revision },
      },
    };
  }

  get pods(): Pod[] {
    return [0, 1, 2].map((ordinal): Pod => ({
      metadata: {
        name: `kafka-${ordinal}`,
        uid: `uid-${ordinal}-${this.podImages[ordinal]}`,
        labels: { 'controller-revision-hash': this.podRevisions[ordinal]! },
      },
      spec: { containers: [{ name: 'kafka', image: this.podImages[ordinal]! }] },
      status: { conditions: [{ type: 'Ready', status: 'True' }] },
    }));
  }

  context(): Context {
    const answering =
      <T>(value: () => T) =>
      async () => {
        if (this.isAway) throw new KafkaError('kafka-unreachable', 'Nobody answers');
        return value();
      };
    const brokers = () => [
      ...[0, 1, 2].map((id) => ({
        id,
        host: `kafka-${id}.kafka`,
        port: 9091,
        rack: undefined,
        fenced: false,
      })),
      ...this.strangers.map((id) => ({
        id,
        host: `old-${id}.kafka`,
        port: 9091,
        rack: undefined,
        fenced: true,
      })),
    ];
    const partition = { index: 0, leader: 0, leaderEpoch: 0, offline: [], replicas: [0, 1, 2] };
    const kafka = {
      apiVersions: answering(() => ({
        newest: new Map(),
        features: new Map(this.finalized),
        mode: this.mode,
      })),
      describeCluster: answering(() => ({ clusterId: 'c', controllerId: 0, brokers: brokers() })),
      topics: answering(() => [
        {
          name: 't',
          internal: false,
          partitions: [{ ...partition, isr: this.underReplicated > 0 ? [0] : [0, 1, 2] }],
        },
      ]),
      featuresOf: async ({ host }: { host: string }) => {
        const max = this.levels[Number(/kafka-(\d)/.exec(host)?.[1])]!;
        const supported = new Map([['metadata.version', { min: max >= 22 ? 7 : 1, max }]]);
        if (max >= 22) supported.set('eligible.leader.replicas.version', { min: 0, max: 1 });
        return { supported, finalized: new Map(this.finalized) };
      },
      updateFeatures: async ([update]: FeatureUpdate[], { validateOnly }: { validateOnly: boolean }) => {
        this.updates.push({ update: update!, validateOnly });
        const { feature, level } = update!;
        if (this.refusal !== undefined) return [{ feature, error: { reason: 'X', message: this.refusal } }];
        if (!validateOnly) this.finalized.set(feature, level);
        return [{ feature }];
      },
      describeConfigs: async () => this.defaults.map((value) => ({ name: 'min.insync.replicas', value })),
      incrementalAlterConfigs: async (_resource: object, [change]: { set: string }[]) =>
        void this.defaults.push(change!.set),
    };
    const record = () =>
      this.holder === undefined ? undefined : { data: { record: JSON.stringify(this.holder) } };
    const kube = {
      tryGet: async () => record(),
      create: async (_path: string, event: { reason: string }) => void this.events.push(event.reason),
    };
    return {
      namespace: 'shop',
      cluster: 'shop',
      kube: kube as unknown as Kube,
      kafka: kafka as unknown as KafkaAdmin,
      log: {
        info: () => undefined,
        warn: () => undefined,
        debug: () => undefined,
      } as unknown as Context['log'],
      metrics: {} as Context['metrics'],
      launchers: [],
      now: () => new Date(),
      world: () => ({
        ...{ sets: [this.set], pods: this.pods, claims: [], services: [], budgets: [] },
        ...{ users: [], rebalances: [] },
        kafkaCluster: {
          apiVersion: '',
          kind: 'KafkaCluster',
          metadata: { name: 'shop' },
          status: this.status,
        } as never,
      }),
      reports: { all: () => [], facts: () => ({ minInsyncReplicas: 2 }) },
    };
  }

  /** Every node runs 4.1. */
  upgraded(): this {
    this.image = 'apache/kafka:4.1.0';
    this.podImages = this.podImages.map(() => this.image);
    this.levels = [27, 27, 27];
    return this;
  }
}

const conditionsOf = async (duty: ReturnType<typeof featuresDuty>) => {
  const { conditions } = await duty.reconcile();
  return conditions.map(({ type, status, reason }) => `${type} ${status} ${reason}`);
};

test('nothing is asked and nothing is changed: nothing is said', async () => {
  const cluster = new Cluster();
  const duty = featuresDuty(cluster.context());
  assert.deepEqual(await conditionsOf(duty), []);
  assert.equal(duty.blocked(cluster.set), undefined);
});

test('3.9 to 4.1 passes the preflight while it is rolled out, and is silent afterwards', async () => {
  const cluster = new Cluster();
  const duty = featuresDuty(cluster.context());
  cluster.image = 'apache/kafka:4.1.0';
  assert.deepEqual(await conditionsOf(duty), ['UpgradeSafe True PreflightPassed']);
  assert.equal(duty.blocked(cluster.set), undefined);
  cluster.upgraded();
  assert.deepEqual(await conditionsOf(duty), []);
});

test('an image that cannot read what is finalized is blocked, with an event, until it is taken back', async () => {
  const cluster = new Cluster().upgraded();
  cluster.finalized.set('metadata.version', 27);
  const duty = featuresDuty(cluster.context());
  await duty.reconcile();
  cluster.image = 'apache/kafka:3.9.1';
  assert.match(duty.blocked(cluster.set) ?? '', /finalized at 4\.1-IV1/);
  assert.deepEqual(await conditionsOf(duty), ['UpgradeSafe False PreflightFailed']);
  assert.deepEqual(cluster.events, ['UpgradeBlocked']);
  cluster.image = 'apache/kafka:4.1.0';
  assert.equal(duty.blocked(cluster.set), undefined);
});

test('before anybody was heard, a new major version waits unless the status tells what is finalized', () => {
  const cluster = new Cluster();
  cluster.isAway = true;
  cluster.image = 'apache/kafka:4.1.0';
  const duty = featuresDuty(cluster.context());
  assert.match(duty.blocked(cluster.set) ?? '', /not known yet/);
  cluster.status = { metadataVersion: '3.9-IV0', mode: 'kraft' };
  assert.equal(duty.blocked(cluster.set), undefined);
  cluster.image = 'apache/kafka:3.9.2';
  cluster.status = {};
  assert.equal(duty.blocked(cluster.set), undefined);
});

test('a cluster that runs in ZooKeeper mode is not rolled to 4.1', async () => {
  const cluster = new Cluster();
  cluster.mode = 'zookeeper';
  cluster.finalized.clear();
  const duty = featuresDuty(cluster.context());
  await duty.reconcile();
  cluster.image = 'apache/kafka:4.1.0';
  assert.match(duty.blocked(cluster.set) ?? '', /no ZooKeeper mode/);
});

test('metadata.version is finalized once every node has it, validated first, once', async () => {
  const cluster = new Cluster();
  cluster.annotations = { [keys.metadataVersion]: '4.1' };
  const duty = featuresDuty(cluster.context());
  assert.deepEqual(await conditionsOf(duty), ['MetadataVersion False NotSupported']);
  cluster.upgraded();
  cluster.levels = [27, 27, 21];
  assert.deepEqual(await conditionsOf(duty), ['MetadataVersion False NotSupported']);
  cluster.levels = [27, 27, 27];
  cluster.underReplicated = 1;
  assert.deepEqual(await conditionsOf(duty), ['MetadataVersion False Waiting']);
  cluster.underReplicated = 0;
  cluster.podRevisions = ['a', 'a', 'z'];
  assert.deepEqual(await conditionsOf(duty), ['MetadataVersion False Waiting']);
  assert.deepEqual(cluster.updates, []);
  cluster.podRevisions = ['a', 'a', 'a'];
  assert.deepEqual(await conditionsOf(duty), ['MetadataVersion False Finalizing']);
  assert.deepEqual(await conditionsOf(duty), ['MetadataVersion True Finalized']);
  const update = { feature: 'metadata.version', level: 27 };
  assert.deepEqual(cluster.updates, [
    { update, validateOnly: true },
    { update, validateOnly: false },
  ]);
  assert.deepEqual(cluster.events, ['FeatureFinalized']);
  assert.deepEqual(cluster.defaults, []);
});

test('eligible leader replicas come after metadata.version, and not without a default of min.insync.replicas', async () => {
  const cluster = new Cluster().upgraded();
  cluster.annotations = { [keys.metadataVersion]: '4.1', [keys.eligibleLeaderReplicas]: 'true' };
  const duty = featuresDuty(cluster.context());
  const [both] = [await conditionsOf(duty)];
  assert.deepEqual(both, ['MetadataVersion False Finalizing', 'EligibleLeaderReplicas False Waiting']);
  assert.deepEqual(cluster.defaults, []);
  await duty.reconcile();
  assert.deepEqual(cluster.defaults, ['2']);
  assert.equal(cluster.finalized.get('eligible.leader.replicas.version'), 1);
  assert.deepEqual(await conditionsOf(duty), [
    'MetadataVersion True Finalized',
    'EligibleLeaderReplicas True Finalized',
  ]);
});

test('Kafka’s own refusal is told, and nothing is changed by it', async () => {
  const cluster = new Cluster().upgraded();
  cluster.annotations = { [keys.metadataVersion]: '4.1' };
  cluster.refusal = 'broker 5 does not support it';
  const duty = featuresDuty(cluster.context());
  const { conditions } = await duty.reconcile();
  assert.match(
    conditions[0]?.message ?? '',
    /Kafka refuses metadata\.version 27: broker 5 does not support it/,
  );
  assert.deepEqual(
    cluster.updates.map(({ validateOnly }) => validateOnly),
    [true],
  );
  assert.deepEqual(cluster.events, ['FeatureRefused']);
});

test('while Kafka does not answer, or the record cannot be read, it waits and says so', async () => {
  const cluster = new Cluster().upgraded();
  cluster.annotations = { [keys.metadataVersion]: '4.1' };
  cluster.isAway = true;
  const duty = featuresDuty(cluster.context());
  assert.deepEqual(await conditionsOf(duty), ['MetadataVersion False Waiting']);
  cluster.isAway = false;
  cluster.holder = { schemaVersion: 'none' };
  assert.deepEqual(await conditionsOf(duty), ['MetadataVersion False Waiting']);
  assert.deepEqual(cluster.updates, []);
});

test('registrations that no pod of the cluster has are stale', async () => {
  const cluster = new Cluster().upgraded();
  cluster.annotations = { [keys.metadataVersion]: '4.1' };
  cluster.strangers = [7];
  assert.deepEqual(await conditionsOf(featuresDuty(cluster.context())), [
    'MetadataVersion False StaleRegistrations',
  ]);
  assert.deepEqual(staleIn({ brokers: [] }, [cluster.set]), []);
});
