import { isExpected } from '../../gate/index.ts';
import type { Lease } from '../../gate/record.ts';
import {
  type BrokerFacts,
  type BrokerView,
  type DescribedCluster,
  KafkaError,
  readView,
} from '../../kafka/index.ts';
import { paths } from '../../kubernetes/paths.ts';
import { type ClusterSet, ordinalOf, roleOf } from '../cluster-set.ts';
import type { Context } from '../context.ts';
import type { Pod, StatefulSet } from '../objects.ts';
import { condemnedOf, joinedOf, wantedBrokers } from './condemned.ts';
import type { HeldPod, KafkaSeen, ScaleSeen, SetSeen } from './model.ts';

/** How many brokers have to tell the same before anything is removed. */
const enoughViews = 2;
const topicsNamed = 3;

export const setsSeen = (sets: readonly ClusterSet[], confirmKey: string): SetSeen[] =>
  sets.map((set) => {
    const confirmed = set.object.metadata.annotations?.[confirmKey];
    return {
      ...{ name: set.name, uid: set.object.metadata.uid, replicas: set.replicas },
      serves: roleOf(set) !== 'controller',
      votes: set.layout.voters > 0 && roleOf(set) !== 'broker' && roleOf(set) !== 'zookeeper',
      ...(confirmed === undefined ? {} : { confirmed }),
    };
  });

/** Replicas by broker in one view, and the replication factor of each topic without what reassignments add. */
function countedIn({ partitions }: BrokerView, adding: ReadonlyMap<string, number>) {
  const { topics, topicFirst, partition, replicas: column } = partitions;
  const replicas = new Map<number, number>();
  for (const id of column.items) replicas.set(id, (replicas.get(id) ?? 0) + 1);
  const factors = topics.map((topic, t) => {
    let most = 0;
    for (let i = topicFirst[t] ?? 0; i < (topicFirst[t + 1] ?? 0); i++) {
      const count = (column.first[i + 1] ?? 0) - (column.first[i] ?? 0);
      most = Math.max(most, count - (adding.get(`${topic}-${partition[i] ?? 0}`) ?? 0));
    }
    return [topic, most] as const;
  });
  return { replicas, factors };
}

/** The most that any view shows. */
function counted(views: readonly BrokerView[], adding: ReadonlyMap<string, number>) {
  const all = views.map((view) => countedIn(view, adding));
  const replicas = mostOf(all.flatMap((one) => [...one.replicas]));
  const factors = mostOf(all.flatMap((one) => one.factors));
  const largest = [...factors.values()].reduce((most, factor) => Math.max(most, factor), 0);
  const topics = [...factors].flatMap(([topic, factor]) => (factor === largest ? [topic] : []));
  return { replicas, most: { replicas: largest, topics: topics.sort().slice(0, topicsNamed) } };
}

function mostOf<K>(counts: readonly (readonly [K, number])[]): Map<K, number> {
  const most = new Map<K, number>();
  for (const [key, count] of counts) most.set(key, Math.max(most.get(key) ?? 0, count));
  return most;
}

/** Undefined where that broker does not answer, or not in a way that can be read. */
async function viewAt({ kafka }: Context, { host, port }: BrokerFacts): Promise<BrokerView | undefined> {
  try {
    return readView(await kafka.viewOf({ host, port }));
  } catch (error) {
    if (error instanceof KafkaError || error instanceof RangeError) return undefined;
    throw error;
  }
}

async function kafkaSeen(
  context: Context,
  { brokers }: DescribedCluster,
  wanted: readonly number[],
): Promise<KafkaSeen> {
  const alive = brokers.filter(({ fenced }) => fenced !== true);
  // Those that stay first: what goes is not asked about itself where others can tell.
  const byStay = alive.toSorted(
    (a, b) => Number(wanted.includes(b.id)) - Number(wanted.includes(a.id)) || a.id - b.id,
  );
  const asked = byStay.slice(0, enoughViews);
  const [{ mode }, reassignments, ...answers] = await Promise.all([
    context.kafka.apiVersions(),
    context.kafka.listReassignments(),
    ...asked.map((broker) => viewAt(context, broker)),
  ]);
  const views = answers.filter((view) => view !== undefined);
  const adding = new Map(
    reassignments.map(({ topic, partition, adding: ids }) => [`${topic}-${partition}`, ids.length]),
  );
  return {
    agreed: views.length > 0 && views.length === asked.length,
    mode,
    serving: new Set(views.flatMap(({ serving }) => serving)),
    ...counted(views, adding),
  };
}

/** What Kafka and the watched objects tell; of Kafka nothing where it cannot be asked. */
export async function nodesSeen(
  context: Context,
): Promise<Pick<ScaleSeen, 'condemned' | 'joined' | 'wanted' | 'kafka'>> {
  const { sets, pods, claims } = context.world();
  const voters = context.reports.facts().quorum?.voters ?? [];
  try {
    const cluster = await context.kafka.describeCluster();
    const listed = cluster.brokers;
    const wanted = wantedBrokers({ sets, listed });
    const kafka = await kafkaSeen(context, cluster, wanted);
    const named = new Set(kafka.replicas.keys());
    const seen = { sets, pods, claims, listed, named, voters };
    return { wanted, kafka, condemned: condemnedOf(seen), joined: joinedOf(seen) };
  } catch (error) {
    if (!(error instanceof KafkaError)) throw error;
    context.log.debug({ event: 'kafka-not-reached', code: error.code }, error.message);
    const seen = { sets, pods, claims, listed: [], named: new Set<number>(), voters };
    return { wanted: wantedBrokers(seen), condemned: condemnedOf(seen), joined: [] };
  }
}

/** Asks about the pod that the lease is for: informers may be behind, and this decides over its end. */
export async function heldPod(
  context: Context,
  { set, pod, broker, step }: Lease,
  kafka: KafkaSeen | undefined,
): Promise<HeldPod> {
  const { kube, namespace } = context;
  const asked = set === undefined ? undefined : await liveSet(context, set);
  const ordinal = asked && ordinalOf(asked, pod ?? '');
  const found = pod === undefined ? undefined : await kube.tryGet<Pod>(paths.pods(namespace, pod));
  const isAsked = step === 'clearing' && broker !== undefined && kafka?.serving.has(broker) === true;
  const settings = isAsked ? await ownSettings(context, broker) : undefined;
  return {
    wanted: asked !== undefined && ordinal !== undefined && isExpected(ordinal, asked),
    ...(found === undefined
      ? {}
      : {
          pod: {
            uid: found.metadata.uid,
            resourceVersion: found.metadata.resourceVersion ?? '',
            terminating: found.metadata.deletionTimestamp !== undefined,
          },
        }),
    ...(settings === undefined ? {} : { settings }),
  };
}

/** A StatefulSet as the API server has it now, with the layout that is known of it. */
export async function liveSet(
  { kube, namespace, world }: Context,
  name: string,
): Promise<ClusterSet | undefined> {
  const object = await kube.tryGet<StatefulSet>(paths.statefulsets(namespace, name));
  const known = world().sets.find((set) => set.name === name);
  if (object === undefined || known === undefined || object.metadata.deletionTimestamp !== undefined)
    return undefined;
  const { replicas = 1, ordinals } = object.spec ?? {};
  return { ...known, object, replicas, firstOrdinal: ordinals?.start ?? 0 };
}

async function ownSettings({ kafka }: Context, broker: number): Promise<string[]> {
  const configs = await kafka.describeConfigs({ type: 'broker', name: String(broker) });
  return configs.filter(({ source }) => source === 'broker').map(({ name }) => name);
}
