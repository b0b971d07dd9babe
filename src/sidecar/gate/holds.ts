import { type Decision, type KnownNode, type SetFacts, eventText } from '../../gate/index.ts';
import type { HoldStatus } from '../status/kafka-cluster.ts';

/**
 * The StatefulSets whose pods Kubernetes' own controller may not delete (the admission policy `kafka-warden-rolls` reads them
 * from the status): those of which a node was ever registered. One that was held stays so, whatever this process has seen of
 * it: after a restart it knows nothing for a while.
 */
export function holdsOf(
  sets: readonly Pick<SetFacts, 'name'>[],
  known: ReadonlyMap<string, KnownNode>,
  earlier: readonly HoldStatus[],
  decision: Decision | undefined,
): HoldStatus[] {
  const registered = new Set([...known.values()].map(({ set }) => set));
  return sets
    .filter(({ name }) => registered.has(name) || earlier.some(({ statefulSet }) => statefulSet === name))
    .map(({ name }) => ({ statefulSet: name, message: messageOf(decision) }));
}

const always =
  'kafka-warden deletes pods of this StatefulSet itself, one at a time and only while every partition can spare them.';

/** Constant for each reason: events with the same text are counted together, and the limiter lets few others through. */
function messageOf(decision: Decision | undefined): string {
  const reason = decision?.do === 'wait' ? reasonOf(decision.waiting) : undefined;
  return reason === undefined ? always : `${always} ${reason}`;
}

function reasonOf(waiting: Extract<Decision, { do: 'wait' }>['waiting']): string | undefined {
  switch (waiting.for) {
    case 'verdict': {
      const [first] = waiting.verdict.kind === 'deny' ? waiting.verdict.reasons : [];
      return first === undefined ? undefined : `It waits: ${eventText[first.why]}`;
    }
    case 'preflight':
      return 'It waits: the new template must not be rolled out as it is; the status of the KafkaCluster says why.';
    case 'lease':
      return waiting.rolls === true
        ? 'It waits: another disruption is under way; the status of the KafkaCluster says which.'
        : undefined;
    case 'repair':
      return 'It waits: the new pod does not come up; change or revert the template.';
    default:
      return undefined;
  }
}
