import { keys } from '../names.ts';
import { isPodOf } from './cluster.ts';
import type { Voter } from './listeners.ts';
import type { Role, StatefulSet } from './model.ts';
import { isLocalQuorum, votersIn, type Shape } from './shape.ts';

/** Where a set stands in its cluster's quorum and among its node ids. */
export interface Quorum {
  /** How many of the set's pods vote. */
  voters: number;
  idOffset: number;
  /** Ids of all voters, where other sets vote too. */
  voterIds?: number[];
}

/** What a quorum is planned from. */
export interface QuorumSource {
  set: StatefulSet;
  shape: Shape;
  role: Role;
}

/** Controllers in a set of their own are numbered from here, out of the brokers' way. */
const controllerIds = 1_000;

/** Replicas rounded down to odd, at most 5; a set created at 0 is planned for 3. */
export function votersFor(replicas: number): number {
  if (replicas === 0) return 3;
  return Math.min(5, replicas % 2 === 0 ? replicas - 1 : replicas);
}

/** The offset that the annotation states; undefined where there is none, or no number. */
export function statedOffsetOf(set: StatefulSet): number | undefined {
  const stated = set.metadata?.annotations?.[keys.idOffset];
  return /^\d{1,6}$/.test(stated ?? '') ? Number(stated) : undefined;
}

const firstOf = (set: StatefulSet) => set.spec?.ordinals?.start ?? 0;
const replicasOf = (set: StatefulSet) => set.spec?.replicas ?? 1;

/** Node id minus ordinal by the manifest's own ids, as far as they can be right for every pod. */
function shownOffset({ set, shape }: QuorumSource): number | undefined {
  if (replicasOf(set) === 1 && shape.nodeId !== undefined) return shape.nodeId - firstOf(set);
  return shape.idShift;
}

/** Decides voters and node ids; undefined where the manifest's voters cannot be followed. */
export function planQuorum(source: QuorumSource): Quorum | undefined {
  const { set, shape, role } = source;
  const stated = statedOffsetOf(set) ?? shownOffset(source);
  switch (role) {
    case 'zookeeper':
      return { voters: 0, idOffset: stated ?? 0 };
    case 'broker':
      return brokers(source, stated);
    case 'unseen':
    case 'combined':
      if (shape.votersText === undefined)
        return { voters: votersFor(replicasOf(set)), idOffset: stated ?? 0 };
      break;
    case 'controller':
      if (shape.votersText === undefined)
        return { voters: replicasOf(set) || 3, idOffset: stated ?? controllerIds };
  }
  return named(source);
}

function brokers({ shape }: QuorumSource, stated: number | undefined): Quorum | undefined {
  const ids = votersIn(shape)?.map((v) => v.id);
  if (shape.votersText !== undefined && ids === undefined) return undefined;
  const taken = ids?.some((id) => id < controllerIds) === true;
  const known = ids === undefined ? {} : { voterIds: ids.toSorted((a, b) => a - b) };
  if (stated !== undefined && ids?.some((id) => id === stated) !== true)
    return { voters: 0, idOffset: stated, ...known };
  return { voters: 0, idOffset: taken ? controllerIds : 0, ...known };
}

/** The quorum that the manifest's voters name: this set's first pods, or those and other sets'. */
function named({ set, shape, role }: QuorumSource): Quorum | undefined {
  const first = firstOf(set);
  const all = shape.voters ?? [];
  if (isLocalQuorum(shape)) {
    const voters = role === 'controller' ? replicasOf(set) || 3 : votersFor(replicasOf(set));
    return { voters, idOffset: (all[0]?.id ?? 0) - first };
  }
  const own = all.filter((v) => isOwn(v, { set, shape }));
  const offset = offsetOf(own, { set, shape });
  if (offset === undefined) return undefined;
  if (own.length === all.length) return { voters: own.length, idOffset: offset };
  const voterIds = all.map((v) => v.id).toSorted((a, b) => a - b);
  return { voters: own.length, idOffset: offset, voterIds };
}

type Own = Pick<QuorumSource, 'set' | 'shape'>;

/** A voter of this set: one of its pods, or, for a set of one pod, its Service or its node id. */
function isOwn(voter: Voter, { set, shape }: Own): boolean {
  const name = set.metadata?.name ?? '';
  if (isPodOf(voter.host, name)) return true;
  if (replicasOf(set) !== 1) return false;
  const host = voter.host.split('.')[0];
  return shape.nodeId === undefined
    ? host === name || host === set.spec?.serviceName
    : voter.id === shape.nodeId;
}

/** The one offset of voters that are the set's first pods, in any order, on one port. */
function offsetOf(own: readonly Voter[], { set }: Own): number | undefined {
  const first = firstOf(set);
  const name = set.metadata?.name ?? '';
  const places = own.map(({ id, host, port }) => ({ id, port, ordinal: ordinalOf(host, name) ?? first }));
  places.sort((a, b) => a.ordinal - b.ordinal);
  const [lowest] = places;
  const inOrder = places.every(
    (p, i) => p.ordinal === first + i && p.id - i === lowest?.id && p.port === lowest.port,
  );
  return inOrder && lowest !== undefined ? lowest.id - first : undefined;
}

/** The ordinal in a host such as `kafka-0.kafka.ns.svc`; undefined where the host is no pod of the set. */
const ordinalOf = (host: string, set: string): number | undefined =>
  isPodOf(host, set) ? Number((host.split('.')[0] ?? '').slice(set.length + 1)) : undefined;
