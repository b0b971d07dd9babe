/* eslint-disable @typescript-eslint/no-non-null-assertion -- test code, as in the *.test.ts files beside it */
import type { BrokerModel, ClusterModel } from '../model.ts';
import type { Reassignment } from '../plan.ts';
import { RESOURCES } from '../problem.ts';
import type { Resource } from '../problem.ts';

/** What an evaluator that knows nothing of the planner finds in a plan. */
export interface Evaluation {
  readonly errors: string[];
  readonly movedMB: number;
  readonly replicaMoves: number;
  readonly leaderChanges: number;
  readonly rackViolations: number;
  readonly left: number;
  readonly outside: Record<Resource, number>;
  readonly load: Map<number, Record<Resource, number>>;
}

type Placement = { replicas: readonly number[]; leader: number };

const capacityOf = (broker: BrokerModel, resource: Resource): number =>
  resource === 'replicas' || resource === 'leaders' ? 1 : broker.capacity[resource];

function targets(model: ClusterModel, plan: Reassignment): { after: Placement[]; errors: string[] } {
  const errors: string[] = [];
  const index = new Map(model.partitions.map((p, i) => [`${p.topic}/${p.partition}`, i]));
  const after: Placement[] = model.partitions.map(({ replicas, leader }) => ({ replicas, leader }));
  const ids = new Set(model.brokers.map((b) => b.id));
  for (const change of plan.partitions) {
    const key = `${change.topic}/${change.partition}`;
    const i = index.get(key);
    const was = i === undefined ? undefined : model.partitions[i];
    if (i === undefined || was === undefined) {
      errors.push(`${key} is not in the model`);
      continue;
    }
    if (new Set(change.replicas).size !== change.replicas.length) errors.push(`${key} has a broker twice`);
    if (change.replicas.length !== was.replicas.length) errors.push(`${key} changes its replication factor`);
    if (change.replicas.some((b) => !ids.has(b))) errors.push(`${key} names an unknown broker`);
    after[i] = { replicas: change.replicas, leader: change.replicas[0] ?? -1 };
  }
  return { after, errors };
}

function loadsOf(model: ClusterModel, after: readonly Placement[]): Map<number, Record<Resource, number>> {
  const load = new Map(
    model.brokers.map((b) => [b.id, { disk: 0, networkIn: 0, replicas: 0, networkOut: 0, leaders: 0 }]),
  );
  model.partitions.forEach((p, i) => {
    for (const b of after[i]!.replicas) {
      const own = load.get(b)!;
      own.disk += p.size;
      own.networkIn += p.bytesIn;
      own.replicas++;
    }
    const led = load.get(after[i]!.leader);
    if (led === undefined) return;
    led.networkOut += p.bytesOut;
    led.leaders++;
  });
  return load;
}

function outsideOf(
  model: ClusterModel,
  load: Evaluation['load'],
  tolerance: number,
): Record<Resource, number> {
  const serving = model.brokers.filter((b) => b.state !== 'draining');
  const count = (resource: Resource): number => {
    const total = [...load.values()].reduce((sum, l) => sum + l[resource], 0);
    const mean = total / serving.reduce((sum, b) => sum + capacityOf(b, resource), 0);
    return serving.filter((b) => {
      const used = load.get(b.id)![resource] / capacityOf(b, resource) / mean;
      return used > 1 + tolerance + 1e-9 || used < 1 - tolerance - 1e-9;
    }).length;
  };
  return Object.fromEntries(RESOURCES.map((r) => [r, count(r)])) as Record<Resource, number>;
}

/** Scores a plan in Kafka's format from the model alone: what it moves, what it breaks, what stays outside. */
export function evaluate(model: ClusterModel, plan: Reassignment, tolerance: number): Evaluation {
  const { after, errors } = targets(model, plan);
  const brokers = new Map(model.brokers.map((b) => [b.id, b]));
  const racks = new Set(model.brokers.filter((b) => b.state !== 'draining').map((b) => b.rack)).size;
  let movedMB = 0;
  let replicaMoves = 0;
  let leaderChanges = 0;
  let rackViolations = 0;
  let left = 0;
  model.partitions.forEach((p, i) => {
    const { replicas, leader } = after[i]!;
    const added = replicas.filter((b) => !p.replicas.includes(b)).length;
    movedMB += added * p.size;
    replicaMoves += added;
    if (leader !== p.leader) leaderChanges++;
    const used = new Set(replicas.map((b) => brokers.get(b)?.rack)).size;
    if (used < Math.min(racks, replicas.length)) rackViolations++;
    left += replicas.filter((b) => brokers.get(b)?.state === 'draining' || p.offline?.includes(b)).length;
  });
  const load = loadsOf(model, after);
  const outside = outsideOf(model, load, tolerance);
  return { errors, movedMB, replicaMoves, leaderChanges, rackViolations, left, outside, load };
}
