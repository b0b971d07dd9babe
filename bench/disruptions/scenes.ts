import { setTimeout as sleep } from 'node:timers/promises';
import { images, type KafkaLine } from '../../test/cluster/index.ts';
import type { Subject } from './subjects.ts';

/** What an operator does, by the ordinary commands. */
export interface Scene {
  readonly name: string;
  readonly title: string;
  /** How many brokers its topic's replicas are spread over, where that is not left to the controller. */
  readonly spread?: number;
  /** What it begins with, where that is not left to the caller. */
  readonly line?: KafkaLine;
  /** Before the topic is made and the producers start; not measured. */
  readonly arrange?: (subject: Subject) => Promise<void>;
  /** Resolves with what is worth saying beside the figures. */
  run(subject: Subject): Promise<string[]>;
}

/** Also of a drain that takes turns with a whole roll. */
const drainTimeoutSeconds = 600;
const rollTimeoutSeconds = 900;

/** Drains a node and lets it take pods again; what a drain that gave up said is a note, not an end. */
async function drain({ cluster }: Subject, node: string): Promise<string[]> {
  try {
    await cluster.kubectl([
      ...['drain', node, '--ignore-daemonsets', '--delete-emptydir-data'],
      `--timeout=${drainTimeoutSeconds}s`,
    ]);
    return [];
  } catch (error) {
    const said = (error as Error).message.trim().split('\n').at(-1) ?? '';
    return [`the drain of ${node} ended with: ${said.slice(0, 300)}`];
  } finally {
    await cluster.kubectl(['uncordon', node]);
  }
}

/** Nodes that have a broker, in the order of their names. */
async function brokerNodes({ kubectl, pods }: Subject): Promise<string[]> {
  const names = new Set<string>();
  for (const pod of await pods())
    names.add(await kubectl('get', 'pod', pod, '-o', 'jsonpath={.spec.nodeName}'));
  return [...names].sort();
}

const rolled = ({ kubectl, set }: Subject): Promise<string> =>
  kubectl('rollout', 'status', `statefulset/${set}`, `--timeout=${rollTimeoutSeconds}s`);

async function scale({ kubectl, set, ready }: Subject, replicas: number): Promise<void> {
  await kubectl('scale', 'statefulset', set, `--replicas=${replicas}`);
  await ready();
}

/** A pod without a probe is ready long before its broker serves. */
async function scaleOut(subject: Subject): Promise<void> {
  await scale(subject, 4);
  await subject.serving(4);
}

export const scenes: readonly Scene[] = [
  {
    name: 'quiet',
    title: 'nothing, for a minute',
    async run() {
      await sleep(60_000);
      return [];
    },
  },
  {
    name: 'drains',
    title: 'each node drained in turn',
    async run(subject) {
      const notes: string[] = [];
      for (const node of await subject.cluster.nodes()) notes.push(...(await drain(subject, node)));
      return notes;
    },
  },
  {
    name: 'two-drains',
    title: 'two nodes drained at once',
    async run(subject) {
      const nodes = (await brokerNodes(subject)).slice(0, 2);
      return (await Promise.all(nodes.map((node) => drain(subject, node)))).flat();
    },
  },
  {
    name: 'restart',
    title: 'rolling restart',
    async run(subject) {
      await subject.kubectl('rollout', 'restart', `statefulset/${subject.set}`);
      await rolled(subject);
      return [];
    },
  },
  {
    name: 'roll-drains',
    title: 'each node drained during a roll',
    async run(subject) {
      await subject.kubectl('rollout', 'restart', `statefulset/${subject.set}`);
      const roll = rolled(subject);
      roll.catch(() => undefined);
      const notes: string[] = [];
      for (const node of await brokerNodes(subject)) notes.push(...(await drain(subject, node)));
      await roll;
      return notes;
    },
  },
  {
    name: 'upgrade',
    title: 'upgrade from 3.9 to 4.1',
    line: '3.9',
    async run(subject) {
      const image = images.kafka41.replace(/^docker\.io\//, '');
      await subject.kubectl('set', 'image', `statefulset/${subject.set}`, `kafka=${image}`);
      await rolled(subject);
      return [];
    },
  },
  {
    name: 'scale',
    title: 'scaled 3 → 4 → 3',
    async run(subject) {
      await scaleOut(subject);
      await scale(subject, 3);
      return [];
    },
  },
  {
    name: 'scale-in',
    title: '4 → 3 with replicas on the fourth, a drain',
    spread: 4,
    arrange: scaleOut,
    async run(subject) {
      await scale(subject, 3);
      const [node = ''] = await brokerNodes(subject);
      return drain(subject, node);
    },
  },
];
