import type { Subject } from './subjects.ts';

/** What an operator does, by the ordinary commands. */
export interface Scenario {
  readonly name: string;
  readonly title: string;
  /** Before the topic is made and the producers start; not measured. */
  readonly arrange?: (subject: Subject) => Promise<void>;
  /** Resolves with what is worth saying beside the figures. */
  run(subject: Subject): Promise<string[]>;
}

const drainTimeoutSeconds = 300;

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

export const scenarios: readonly Scenario[] = [
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
    async run({ kubectl, set }) {
      await kubectl('rollout', 'restart', `statefulset/${set}`);
      await kubectl('rollout', 'status', `statefulset/${set}`, '--timeout=600s');
      return [];
    },
  },
  {
    name: 'scale',
    title: 'scaled 3 → 4 → 3',
    async run({ kubectl, set, ready }) {
      await kubectl('scale', 'statefulset', set, '--replicas=4');
      await ready();
      await kubectl('scale', 'statefulset', set, '--replicas=3');
      await ready();
      return [];
    },
  },
  {
    name: 'scale-in',
    title: '4 → 3, replicas on the fourth',
    async arrange({ kubectl, set, ready }) {
      await kubectl('scale', 'statefulset', set, '--replicas=4');
      await ready();
    },
    async run({ kubectl, set, ready }) {
      await kubectl('scale', 'statefulset', set, '--replicas=3');
      await ready();
      return [];
    },
  },
];
