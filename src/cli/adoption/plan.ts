import { isGiven } from '../../hardening/configuration.ts';
import { harden, isHardened, type Finding, type Layout, type StatefulSet } from '../../hardening/index.ts';
import { layoutOf } from '../../hardening/layout.ts';
import type { JsonObject } from '../../hardening/tree.ts';
import type { Broker } from '../../lint/brokers.ts';
import { sceneOf, type Scene } from '../../lint/scene.ts';
import { isHeadless } from '../../lint/services.ts';
import { kindOf, nameOf, type Subject } from '../../lint/subject.ts';
import { keys } from '../../names.ts';
import { memberOf, type Member } from './member.ts';
import { stagesOf, type Stage } from './stages.ts';

/** Why a set cannot be adopted. */
export type Hindrance = Pick<Finding, 'rule' | 'path' | 'message' | 'remedy'>;

/** What adopting a running cluster takes. */
export interface AdoptionPlan {
  schema: 1;
  namespace: string;
  cluster: string;
  mode: 'kraft' | 'zookeeper';
  sets: { name: string; role: string; pods: number; ids: string }[];
  /** What has to be true, or to be known, before the first stage. */
  before: string[];
  stages: Stage[];
  skipped: { number: number; reason: string }[];
}

export type Planned =
  | { kind: 'plan'; plan: AdoptionPlan }
  | { kind: 'cannot'; namespace: string; name: string; why: Hindrance[] };

/** The set as it would be judged if it were created now: whatever mode it asks for, adoption is asked for by a person. */
function asNew(value: JsonObject): StatefulSet {
  const set = structuredClone(value) as unknown as StatefulSet;
  delete set.metadata?.annotations?.[keys.mode];
  return set;
}

const hindrance = (rule: string, path: string, message: string, remedy: string): Hindrance => ({
  rule,
  path,
  message,
  remedy,
});

/** What stands against one set of the cluster; empty where it can be adopted. */
function hindrances(broker: Broker, layout: Layout): Hindrance[] {
  const { workload, configuration, shape } = broker;
  const found: Hindrance[] = [];
  const listeners = configuration.property('listeners');
  const isSeen =
    listeners.state === 'absent' ||
    isGiven(listeners) ||
    isGiven(configuration.property('advertised.listeners'));
  if (!isSeen)
    found.push(
      hindrance(
        'adoption',
        '/spec/template/spec/containers',
        `the listeners of ${workload.name} lie where they cannot be seen from here, so that no port can be named`,
        'Give the ConfigMap that holds them with -f too.',
      ),
    );
  if (layout.storage === 'ephemeral')
    found.push(
      hindrance(
        'storage',
        '/spec/volumeClaimTemplates',
        `the data of ${workload.name} lies on ephemeral storage: every stage restarts every pod, and each restart would lose a broker's data`,
        'Create the cluster anew with claims, and copy what it holds.',
      ),
    );
  if (shape.nodeId !== undefined && workload.replicas === 1) {
    const id = (workload.set.spec?.ordinals?.start ?? 0) + layout.idOffset;
    if (id !== shape.nodeId)
      found.push(
        hindrance(
          'identity',
          '/metadata/annotations',
          `${workload.name} runs with node id ${shape.nodeId}, and hardening would give it ${id}: its disk knows the first`,
          `Annotate it with ${keys.idOffset}=${shape.nodeId}.`,
        ),
      );
  }
  return found;
}

const idsOf = ({ pods, firstId }: Member) =>
  pods.length === 1 ? String(firstId) : `${firstId}-${firstId + pods.length - 1}`;

function beforehand(scene: Scene, brokers: readonly Broker[], members: readonly Member[]): string[] {
  const serving = members.filter((m) => m.serves).reduce((sum, m) => sum + m.pods.length, 0);
  const governed = brokers.flatMap(({ workload }): string[] => {
    const service = workload.set.spec?.serviceName ?? '';
    const found = scene
      .ofKind('Service')
      .find((s) => s.namespace === workload.namespace && nameOf(s) === service);
    if (found === undefined)
      return scene.ofKind('Service').length === 0
        ? []
        : [
            `The headless Service ${service} of ${workload.name} is not among these objects: without it pods have no names to certify.`,
          ];
    if (isHeadless(found)) return [];
    return [
      `Service ${service} governs ${workload.name} but is not headless, and serviceName cannot be changed: delete the StatefulSet with --cascade=orphan and create it with a headless one first.`,
    ];
  });
  return [
    ...(serving === 1
      ? ['There is one broker: every stage that restarts it is an outage of about a minute.']
      : [
          'Topics with one replica are away while their broker restarts (stages 1 to 4, 6 and 7): raise their replication first (kafka-reassign-partitions.sh). So are partitions that would fall below min.insync.replicas.',
        ]),
    ...governed,
    'The sidecar of the cluster runs, and the keystore Secret of each set holds a store for every pod.',
    'With stage 1 come the grace period, probes, spread, pod security and disruption budget that "kafka-warden harden --diff" shows.',
  ];
}

/** The other sets of the same cluster, and the hindrances of each. */
function gather(scene: Scene, chosen: Broker) {
  const brokers = scene.brokers.filter(
    (b) =>
      b.cluster === chosen.cluster &&
      b.workload.namespace === chosen.workload.namespace &&
      b.workload.kind === 'StatefulSet',
  );
  const known = brokers.flatMap((broker) => {
    const layout = scene.layoutOf(broker.workload.subject);
    return layout === undefined ? [] : [{ broker, layout }];
  });
  return { brokers, known };
}

function judged(subject: Subject): { layout: Layout | undefined; why: Hindrance[] } {
  const set = asNew(subject.value);
  const { decision, findings, workload } = harden(set, { namespace: subject.namespace, mode: 'harden' });
  if (decision === 'hardened') return { layout: layoutOf(workload), why: [] };
  const why = findings.map(({ rule, path, message, remedy }) => ({ rule, path, message, remedy }));
  const none = hindrance(
    'image-profile',
    '/spec/template/spec/containers',
    'it runs no Kafka broker that is known',
    'Nothing to do.',
  );
  return { layout: undefined, why: why.length > 0 ? why : [none] };
}

/**
 * What adopting the cluster of a StatefulSet takes, or why it cannot be adopted. `subjects` are all objects that are known of its
 * namespace: further sets of the cluster, Services, ConfigMaps. Pure.
 */
export function planAdoption(subjects: readonly Subject[], chosen: Subject): Planned {
  const { namespace } = chosen;
  const name = nameOf(chosen);
  const cannot = (why: Hindrance[]): Planned => ({ kind: 'cannot', namespace, name, why });
  if (isHardened(chosen.value))
    return cannot([
      hindrance('adoption', '/metadata/annotations', 'it is hardened already', 'Nothing to do.'),
    ]);
  const layouts = new Map<Subject, Layout>();
  const reasons = new Map<Subject, Hindrance[]>();
  for (const subject of subjects.filter((s) => kindOf(s) === 'StatefulSet')) {
    const { layout, why } = judged(subject);
    if (layout !== undefined) layouts.set(subject, layout);
    reasons.set(subject, why);
  }
  const scene = sceneOf(subjects, layouts);
  const broker = scene.brokers.find((b) => b.workload.subject === chosen);
  const own = reasons.get(chosen) ?? [];
  if (own.length > 0 || broker === undefined) return cannot(own);
  const { brokers, known } = gather(scene, broker);
  const why = [
    ...brokers
      .filter((b) => b !== broker)
      .flatMap((b) =>
        (reasons.get(b.workload.subject) ?? []).map((h) => ({
          ...h,
          message: `${b.workload.name}: ${h.message}`,
        })),
      ),
    ...known.flatMap((k) => hindrances(k.broker, k.layout)),
  ];
  const members = known.map((k) => memberOf(k.broker, k.layout));
  if (broker.role === 'broker' && !members.some((m) => m.controls))
    why.push(
      hindrance(
        'adoption',
        '/spec',
        `${name} has brokers only, and the controllers of its cluster (${broker.cluster}) are not among these objects`,
        "Give the controllers' StatefulSet with -f too.",
      ),
    );
  if (why.length > 0) return cannot(why);
  const zookeeper = members.some((m) => m.role === 'zookeeper');
  return {
    kind: 'plan',
    plan: {
      schema: 1,
      namespace,
      cluster: broker.cluster,
      mode: zookeeper ? 'zookeeper' : 'kraft',
      sets: members.map((m) => ({
        name: m.name,
        role: m.role ?? 'combined',
        pods: m.pods.length,
        ids: idsOf(m),
      })),
      before: beforehand(scene, brokers, members),
      stages: stagesOf({ namespace, zookeeper, members }),
      skipped: zookeeper
        ? [{ number: 2, reason: 'in ZooKeeper mode there is no quorum of controllers to move' }]
        : [],
    },
  };
}
