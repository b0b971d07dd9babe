import type { Lease } from '../../gate/record.ts';
import { type Action, type Decision, type HeldPod, type KafkaSeen, type ScaleSeen, idle } from './model.ts';

const write = (to: 'clearing' | 'deleting' | 'unregistering'): Action => ({ do: 'write', write: { to } });
const release: Action = { do: 'write', write: { to: 'release', cancelled: false } };
const cancel: Action = { do: 'write', write: { to: 'release', cancelled: true } };

interface Turn {
  readonly lease: Lease;
  readonly held: HeldPod;
  readonly kafka: KafkaSeen | undefined;
}

/** Whether every view shows that the broker has no replica; undefined where too few could be asked. */
function isEmpty({ lease: { broker }, kafka }: Turn): boolean | undefined {
  if (broker === undefined) return true;
  if (kafka?.agreed !== true) return undefined;
  return (kafka.replicas.get(broker) ?? 0) === 0;
}

/** What to do, or in words what it waits for. */
type Next = Action | string;

/** Before the pod is ordered away nothing is lost: the lease goes back as soon as something is not as it was. */
function whileThere(turn: Turn, then: () => Next): Next {
  if (turn.held.wanted) return cancel;
  const empty = isEmpty(turn);
  if (empty === undefined) return 'two brokers to agree that it has no replicas';
  return empty ? then() : release;
}

function clearing({ lease: { broker }, held: { settings = [] } }: Turn): Next {
  if (broker === undefined || settings.length === 0) return write('deleting');
  return { do: 'clear', broker, settings };
}

function deleting(turn: Turn): Next {
  const { lease, held } = turn;
  const { pod } = held;
  if (pod === undefined) return write('unregistering');
  // Another pod of that name: it was wanted again, and went through its start.
  if (pod.uid !== lease.podUid) return held.wanted ? cancel : release;
  if (pod.terminating) return `${lease.pod ?? 'the pod'} to end`;
  return whileThere(turn, () => ({
    do: 'delete',
    pod: lease.pod ?? '',
    uid: pod.uid,
    resourceVersion: pod.resourceVersion,
  }));
}

function unregistering({ lease, held, kafka }: Turn): Next {
  const { broker } = lease;
  if (held.wanted) return cancel;
  if (broker === undefined || held.pod !== undefined) return release;
  if (kafka?.mode === 'zookeeper') return release;
  if (kafka?.agreed !== true) return 'two brokers to agree that it is fenced';
  if (kafka.serving.has(broker)) return `broker ${broker} to be fenced`;
  // Nothing is forgotten of a broker that partitions still name.
  return (kafka.replicas.get(broker) ?? 0) === 0 ? { do: 'unregister', broker } : release;
}

function nextOf(turn: Turn): Next {
  switch (turn.lease.step) {
    case 'moving':
      return whileThere(turn, () => write('clearing'));
    case 'clearing':
      return whileThere(turn, () => clearing(turn));
    case 'deleting':
      return deleting(turn);
    default:
      return unregistering(turn);
  }
}

/** The next step for the one pod that the lease is for. */
export function underLease({ by, kafka, held }: ScaleSeen, lease: Lease): Decision {
  const set = lease.set ?? '';
  const told = (message: string) => [{ set, reason: 'Removing', message }];
  const what = `${lease.pod ?? lease.id} has no replicas left and goes (step: ${lease.step})`;
  if (held === undefined) return idle(told(what));
  if (lease.by !== by) return { action: { do: 'write', write: { to: 'take-over' } }, told: told(what) };
  const next = nextOf({ lease, held, kafka });
  if (typeof next === 'string') return idle(told(`${what}; it waits for ${next}`));
  return { action: next, told: told(what) };
}
