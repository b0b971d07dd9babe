/* eslint-disable @typescript-eslint/no-non-null-assertion -- typed arrays, indices in range by construction */
import type { Problem } from './problem.ts';

/** Brokers that carry more of a topic than twice an even spread take no more of it; one more is always allowed. */
const SLACK = 2;

/** What the spread of topics is worked out from: everything of a problem but the spread. */
export type Layout = Pick<
  Problem,
  | 'brokers'
  | 'partitions'
  | 'rack'
  | 'racks'
  | 'servingRacks'
  | 'serving'
  | 'first'
  | 'home'
  | 'topic'
  | 'topics'
>;

interface Shares {
  readonly partitions: Int32Array;
  /** Replicas of a topic over all serving brokers. */
  readonly even: Float64Array;
  /** Replicas of a topic that the rack rule sends to each rack. */
  readonly inRack: Float64Array;
}

function sharesOf({ topics, topic, first, partitions, serving, servingRacks }: Layout): Shares {
  const shares = {
    partitions: new Int32Array(topics),
    even: new Float64Array(topics),
    inRack: new Float64Array(topics),
  };
  const open = serving.reduce((sum, one) => sum + one, 0);
  for (let p = 0; p < partitions; p++) {
    const replicas = first[p + 1]! - first[p]!;
    shares.partitions[topic[p]!]!++;
    shares.even[topic[p]!]! += replicas / open;
    shares.inRack[topic[p]!]! += Math.min(1, replicas / servingRacks);
  }
  return shares;
}

/** Serving brokers of each rack. */
function membersOf({ brokers, rack, racks, serving }: Layout): Int32Array {
  const members = new Int32Array(racks);
  for (let b = 0; b < brokers; b++) if (serving[b]) members[rack[b]!]!++;
  return members;
}

/**
 * The most replicas of each topic that moves may bring onto each broker: twice its even share and one more, or what
 * the broker held at the start if that is more. Topics that no broker can hold more of have no row.
 */
export function topicLimits(layout: Layout): Pick<Problem, 'roomAt' | 'topicMost'> {
  const { brokers, partitions, rack, first, home, topic, topics } = layout;
  const shares = sharesOf(layout);
  const members = membersOf(layout);
  const limit = (t: number, share: number): number => Math.ceil(SLACK * Math.max(share, shares.even[t]!)) + 1;
  const rowOf = new Int32Array(topics).fill(-1);
  let rows = 0;
  for (let t = 0; t < topics; t++) if (shares.partitions[t]! > limit(t, 0)) rowOf[t] = brokers * rows++;
  const topicMost = new Int16Array(rows * brokers);
  const held = new Int16Array(rows * brokers);
  const roomAt = Int32Array.from({ length: partitions }, (_, p) => rowOf[topic[p]!]!);
  for (let p = 0; p < partitions; p++)
    for (let r = first[p]!; r < first[p + 1]!; r++) if (roomAt[p]! >= 0) held[roomAt[p]! + home[r]!]!++;
  for (let t = 0; t < topics; t++)
    for (let b = 0; b < brokers && rowOf[t]! >= 0; b++) {
      const share = shares.inRack[t]! / Math.max(1, members[rack[b]!]!);
      topicMost[rowOf[t]! + b] = Math.max(limit(t, share), held[rowOf[t]! + b]!);
    }
  return { roomAt, topicMost };
}

/** The broker that holds most of a topic, beside what an even spread would put there. */
export interface TopicPile {
  readonly topic: string;
  readonly broker: number;
  readonly replicas: number;
  /** Replicas of the topic on each serving broker if all had the same number, not rounded. */
  readonly evenly: number;
}

/** Of all topics and serving brokers, where most replicas are beyond an even spread; undefined without any replica. */
export function worstPile(problem: Problem, at: Int32Array): TopicPile | undefined {
  const { brokers, partitions, first, topic, serving, origin, model } = problem;
  const { even } = sharesOf(problem);
  const order = Int32Array.from({ length: partitions }, (_, p) => p).sort((a, b) => topic[a]! - topic[b]!);
  const count = new Int32Array(brokers);
  let worst: TopicPile | undefined;
  let most = -Infinity;
  for (let i = 0; i < order.length; i++) {
    const p = order[i]!;
    const t = topic[p]!;
    if (i === 0 || topic[order[i - 1]!] !== t) count.fill(0);
    for (let r = first[p]!; r < first[p + 1]!; r++) {
      const b = at[r]!;
      const replicas = ++count[b]!;
      if (!serving[b] || replicas - Math.ceil(even[t]!) <= most) continue;
      most = replicas - Math.ceil(even[t]!);
      const name = model.partitions[origin[p]!]!.topic;
      worst = { topic: name, broker: model.brokers[b]!.id, replicas, evenly: even[t]! };
    }
  }
  return worst;
}
