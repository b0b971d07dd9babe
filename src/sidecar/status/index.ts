import { isStatus } from '../../kubernetes/client.ts';
import { paths } from '../../kubernetes/paths.ts';
import { apiVersion } from '../../names.ts';
import { type ClusterSet, ownedBy } from '../cluster-set.ts';
import type { Context, Report } from '../context.ts';
import { ownLabels } from '../secrets.ts';
import { composeStatus } from './compose.ts';
import type { ClusterStatus, KafkaCluster } from './kafka-cluster.ts';
import { kafkaVersionOf } from './kafka-version.ts';

/** Figures that only move are written this often; a condition that changes is written at once. */
const writeEveryMs = 10_000;

/** Keeps the `KafkaCluster` object: created once, its status written only when it differs. `written`: kept between passes. */
export async function reconcileStatus(context: Context, written: { atMs: number }): Promise<Report> {
  const { sets } = context.world();
  if (sets.length === 0) return { conditions: [] };
  const object = await clusterObject(context, sets);
  const status = composeStatus({
    reports: context.reports.all(),
    kafkaVersion: kafkaVersionOf(sets),
    rolling: sets.filter(isRolling).map(({ name }) => name),
    earlier: object.status,
    now: context.now(),
  });
  if (canonical(object.status) === canonical(status)) return { conditions: [] };
  const waitMs = written.atMs + writeEveryMs - performance.now();
  if (waitMs > 0 && !isUrgent(object.status, status)) return { conditions: [], againInMs: waitMs };
  const path = `${paths.kafkaclusters(context.namespace, context.cluster)}/status`;
  await context.kube.replace(path, { ...object, status });
  written.atMs = performance.now();
  return { conditions: [] };
}

function isUrgent(held: Partial<ClusterStatus> | undefined, wanted: Partial<ClusterStatus>): boolean {
  const states = ({ conditions = [], farewell, holds = [] }: Partial<ClusterStatus> = {}) =>
    JSON.stringify([
      farewell,
      holds.map(({ statefulSet }) => statefulSet),
      conditions.map(({ type, status, reason }) => [type, status, reason]),
    ]);
  return states(held) !== states(wanted);
}

/** The object as the API server has it now: the status is written with the version that was read. */
async function clusterObject(context: Context, sets: readonly ClusterSet[]): Promise<KafkaCluster> {
  const { kube, namespace, cluster } = context;
  const path = paths.kafkaclusters(namespace, cluster);
  const stored = await kube.tryGet<KafkaCluster>(path);
  const owners = ownedBy(sets);
  const metadata = { name: cluster, namespace, labels: ownLabels(cluster), ownerReferences: owners };
  if (stored === undefined) {
    try {
      return await kube.create<KafkaCluster>(paths.kafkaclusters(namespace), {
        apiVersion,
        kind: 'KafkaCluster',
        metadata,
      });
    } catch (error) {
      if (!isStatus(error, 409)) throw error;
      return kube.get<KafkaCluster>(path);
    }
  }
  const held = stored.metadata.ownerReferences ?? [];
  if (owners.every(({ uid }) => held.some((one) => one.uid === uid))) return stored;
  return kube.patch<KafkaCluster>(path, { metadata: { ownerReferences: owners } }, 'merge');
}

function isRolling({ object, replicas }: ClusterSet): boolean {
  const {
    updatedReplicas = 0,
    observedGeneration = 0,
    currentRevision,
    updateRevision,
  } = object.status ?? {};
  if (observedGeneration < (object.metadata.generation ?? 0)) return true;
  return updateRevision !== currentRevision && updatedReplicas < replicas;
}

/** The same text for equal JSON, whatever the order of its keys. */
const canonical = (value: unknown): string =>
  JSON.stringify(value, (_key, held: unknown) =>
    typeof held === 'object' && held !== null && !Array.isArray(held)
      ? Object.fromEntries(Object.entries(held).sort(([a], [b]) => (a < b ? -1 : 1)))
      : held,
  ) ?? '';
