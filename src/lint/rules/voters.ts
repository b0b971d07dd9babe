import { pointerTo } from '../../hardening/draft.ts';
import type { Voter } from '../../hardening/listeners.ts';
import { isLocalQuorum } from '../../hardening/shape.ts';
import type { Broker } from '../brokers.ts';
import type { LintRule, Said, Scene } from '../scene.ts';
import { kindOf, nameOf, textAt } from '../subject.ts';
import type { Workload } from '../workload.ts';
import { nodeIdsOf } from './node-ids.ts';

interface Pod {
  set: string;
  ordinal: number;
  service: string | undefined;
  namespace: string | undefined;
}

/** `kafka-0.kafka.shop.svc` as the pod that it names; undefined for other hosts. */
function podIn(host: string): Pod | undefined {
  const match = /^([a-z0-9][a-z0-9-]*)-(\d+)(?:\.([a-z0-9-]+)(?:\.([a-z0-9-]+)(?:\.svc.*)?)?)?$/.exec(host);
  if (match === null) return undefined;
  const [, set = '', ordinal, service, namespace] = match;
  return { set, ordinal: Number(ordinal), service, namespace: namespace === 'svc' ? undefined : namespace };
}

/** Why the name of a voter's pod does not exist, given the set that it names. */
function wrongName(host: string, pod: Pod, { set, replicas, subject }: Workload): string | undefined {
  const first = set.spec?.ordinals?.start ?? 0;
  if (pod.ordinal < first || pod.ordinal >= first + replicas)
    return `${host} is no pod of ${pod.set}, which has ${replicas} replica${replicas === 1 ? '' : 's'}`;
  const service = set.spec?.serviceName;
  if (pod.service !== undefined && service !== undefined && pod.service !== service)
    return `${host} does not exist: ${pod.set} has serviceName ${service}, not ${pod.service}`;
  const home = textAt(subject.value, 'metadata', 'namespace');
  if (pod.namespace !== undefined && home !== undefined && pod.namespace !== home)
    return `${host} lies in another namespace than ${pod.set} (${home})`;
  return undefined;
}

/** What is wrong with one voter, given the broker that it names. */
function wrong(voter: Voter, pod: Pod, named: Broker): string | undefined {
  const name = wrongName(voter.host, pod, named.workload);
  if (name !== undefined) return name;
  if (named.role === 'broker' || named.role === 'zookeeper') return `${pod.set} runs no controllers`;
  const ids = nodeIdsOf(named);
  const id = (ids?.first ?? 0) + pod.ordinal - (named.workload.set.spec?.ordinals?.start ?? 0);
  return ids === undefined || id === voter.id
    ? undefined
    : `${voter.host} has the node id ${id}, not ${voter.id}`;
}

/** `kafka-1` may be a Service of its own, or a set, and no pod. */
const isService = ({ subjects }: Scene, { workload }: Broker, host: string): boolean => {
  const [first = '', second = ''] = host.split('.');
  const isName = second === '' || second === 'svc' || second === workload.namespace;
  return (
    isName &&
    subjects.some(
      (s) =>
        s.namespace === workload.namespace &&
        ['Service', 'StatefulSet'].includes(kindOf(s)) &&
        nameOf(s) === first,
    )
  );
};

function check(scene: Scene, broker: Broker): Said[] {
  const { workload, shape, configuration, index, role } = broker;
  const value = configuration.property('controller.quorum.voters');
  if (broker.hardened || role === 'zookeeper' || !('from' in value) || isLocalQuorum(shape)) return [];
  const at = { subject: workload.subject, path: workload.pointer(pointerTo(index, value.from)) };
  const absent = new Set<string>();
  const said = (shape.voters ?? []).flatMap((voter): Said[] => {
    const pod = podIn(voter.host);
    if (pod === undefined) return [];
    if (isService(scene, broker, voter.host)) return [];
    const named = scene.brokers.find(
      (b) =>
        b.workload.kind === 'StatefulSet' &&
        b.workload.name === pod.set &&
        b.workload.namespace === workload.namespace,
    );
    if (named === undefined) absent.add(pod.set);
    const reason = named === undefined ? undefined : wrong(voter, pod, named);
    return reason === undefined
      ? []
      : [{ ...at, message: `controller.quorum.voters names ${voter.id}@${voter.host}, but ${reason}` }];
  });
  const away = [...absent].map((set): Said => ({
    ...at,
    message: `controller.quorum.voters names pods of ${set}, and there is no StatefulSet ${set} among these manifests`,
    remedy: `Correct the name; or lint the manifest of ${set} together with this one.`,
    severity: role === 'broker' ? 'info' : 'warning',
  }));
  return [...said, ...away];
}

export const voters: LintRule = {
  doc: {
    id: 'voters',
    title: 'Voters that exist',
    why: 'A quorum forms only where more than half of the voters that are named exist under that name, with that node id. A name below another Service, an ordinal beyond the replicas or an id of another pod is a voter that never comes.',
    remedy: 'Write ID@SET-ORDINAL.SERVICE:PORT for each controller pod.',
    severity: 'error',
  },
  check: (scene) => scene.brokers.flatMap((broker) => check(scene, broker)),
};
