import { z } from 'zod';
import { group } from '../../names.ts';
import { type ClusterSet, roleOf } from '../cluster-set.ts';
import { type Secret, entryOf } from '../objects.ts';
import { collidingIds, quorumPlan, replicationOf, rivalQuorums } from '../topology.ts';

/** Annotation of a keys Secret: the facts that its `cluster.properties` tells, and of which StatefulSet it was told. */
export const factsAnnotation = `${group}/facts`;
export const factsEntry = 'cluster.properties';

/** What a pod is told of the other sets of its cluster. */
export interface ClusterFacts {
  readonly clusterId?: string | undefined;
  /** `ID@HOST:PORT,…`, once every voter that a set names is provided. */
  readonly voters?: string | undefined;
  readonly replicationFactor?: number | undefined;
  readonly minInsyncReplicas?: number | undefined;
}

const schema = z.object({
  set: z.string(),
  clusterId: z.string().optional(),
  voters: z.string().optional(),
  replicationFactor: z.number().optional(),
  minInsyncReplicas: z.number().optional(),
});

/** A set that has just come is often one of several: their first facts wait until they have all come. */
export const settleMs = 3_000;

/** What a keys Secret told already. Facts that were told to an earlier StatefulSet of the name do not count. */
export function recordedFacts(set: ClusterSet, secret: Secret | undefined): ClusterFacts | undefined {
  const text = secret?.metadata.annotations?.[factsAnnotation];
  if (text === undefined) return undefined;
  try {
    const { set: uid, ...facts } = schema.parse(JSON.parse(text));
    return uid === set.object.metadata.uid ? facts : undefined;
  } catch {
    return undefined;
  }
}

export const factsRecord = (set: ClusterSet, facts: ClusterFacts): string =>
  JSON.stringify({ set: set.object.metadata.uid, ...facts });

/** Whether the entry was changed by somebody else since it was written. */
export const factsEdited = (secret: Secret | undefined, recorded: ClusterFacts | undefined): boolean =>
  recorded !== undefined && entryOf(secret, factsEntry)?.toString('utf8') !== factsText(recorded);

/** The lines of `cluster.properties`; what is not known has none. */
export function factsText(facts: ClusterFacts): string {
  const lines = [
    ['cluster.id', facts.clusterId],
    ['voters', facts.voters],
    ['replication.factor', facts.replicationFactor],
    ['min.insync.replicas', facts.minInsyncReplicas],
  ];
  return lines
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => `${key}=${value}\n`)
    .join('');
}

/** A set that is the whole cluster knows all of it from its own template. */
const needsFacts = (sets: readonly ClusterSet[]): boolean =>
  sets.length > 1 ||
  sets.some((set) => ['broker', 'controller'].includes(roleOf(set)) || set.layout.voterIds !== undefined);

export interface FactsDecision {
  /** Undefined where the Secrets need none. */
  readonly facts: ClusterFacts | undefined;
  /** When to decide again, where something is held back until then. */
  readonly againInMs?: number;
}

/**
 * The same facts for every set. What was told once stays while sets are missing: a quorum does not change because the
 * StatefulSet of one of its voters is being made anew, and replication never becomes less.
 */
export function decideFacts(
  sets: readonly ClusterSet[],
  known: { namespace: string; recorded: readonly ClusterFacts[]; nowMs: number },
): FactsDecision {
  const { namespace, recorded, nowMs } = known;
  if (!needsFacts(sets) && recorded.length === 0) return { facts: undefined };
  const { voters, missing } = quorumPlan(sets, namespace);
  const complete =
    voters.length > 0 &&
    missing.length === 0 &&
    collidingIds(sets).length === 0 &&
    rivalQuorums(sets).length === 0;
  const told = recorded.find((facts) => facts.voters !== undefined);
  const restMs = told === undefined ? restOf(sets, nowMs) : 0;
  const tellable = complete && restMs === 0;
  const facts: ClusterFacts = {
    ...(tellable
      ? { clusterId: voters[0]?.set.layout.clusterId, voters: votersText(voters) }
      : { clusterId: told?.clusterId ?? firstId(sets), voters: told?.voters }),
    ...replication(sets, recorded),
  };
  return { facts, ...(complete && restMs > 0 ? { againInMs: restMs } : {}) };
}

const votersText = (voters: ReturnType<typeof quorumPlan>['voters']): string =>
  voters.map(({ id, address }) => `${id}@${address}`).join(',');

/** In ZooKeeper mode the ensemble has the cluster's id. */
const firstId = (sets: readonly ClusterSet[]): string | undefined =>
  sets.find((set) => roleOf(set) !== 'zookeeper')?.layout.clusterId;

function replication(
  sets: readonly ClusterSet[],
  recorded: readonly ClusterFacts[],
): Pick<ClusterFacts, 'replicationFactor' | 'minInsyncReplicas'> {
  const all = [replicationOf(sets), ...recorded];
  const most = (key: 'replicationFactor' | 'minInsyncReplicas'): number | undefined => {
    const values = all.flatMap((one) => one?.[key] ?? []);
    return values.length === 0 ? undefined : Math.max(...values);
  };
  return { replicationFactor: most('replicationFactor'), minInsyncReplicas: most('minInsyncReplicas') };
}

/** How long the youngest set still has; nothing where clocks differ so much that its age says nothing. */
function restOf(sets: readonly ClusterSet[], nowMs: number): number {
  const ageMs = Math.min(
    ...sets.map(({ object }) => nowMs - Date.parse(String(object.metadata.creationTimestamp ?? 0))),
  );
  return ageMs >= -1_000 && ageMs < settleMs ? settleMs - ageMs : 0;
}
