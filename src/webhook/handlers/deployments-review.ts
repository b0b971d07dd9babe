import { harden } from '../../hardening/index.ts';
import type { Finding, StatefulSet } from '../../hardening/model.ts';
import { keys } from '../../names.ts';
import type { Answer } from '../response.ts';
import type { JsonObject, Review } from '../review.ts';
import { warningsOf } from '../warnings.ts';

const allowed: Answer = { allowed: true };
const kinds = ['Deployment', 'DaemonSet'];
/** Says of an image only that it is not known, or that it runs something else than a broker. */
const inconclusive = 'image-profile';
const brokerVariable =
  /^KAFKA_(CFG_)?(ADVERTISED_HOST_NAME|ADVERTISED_LISTENERS|LISTENERS|BROKER_ID|NODE_ID|PROCESS_ROLES|ZOOKEEPER_CONNECT)$/;

type Workload = JsonObject & Pick<StatefulSet, 'metadata'> & { spec?: { template?: unknown } };

/** The same pods in a StatefulSet: what the core can judge. */
const asStatefulSet = ({ metadata, spec }: Workload): StatefulSet =>
  ({
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: { name: metadata?.name ?? '', annotations: metadata?.annotations ?? {} },
    spec: { serviceName: metadata?.name ?? '', selector: {}, template: spec?.template },
  }) as StatefulSet;

const isConfiguredAsBroker = (set: StatefulSet): boolean =>
  (set.spec?.template?.spec?.containers ?? []).some(({ env }) =>
    (env ?? []).some(({ name }) => brokerVariable.test(name)),
  );

/** True for what runs a broker, not for a program that only has to do with Kafka. */
function runsBroker(set: StatefulSet, namespace: string): boolean {
  const { decision, findings } = harden(set, { namespace });
  if (decision === 'ignored' || findings.some(({ rule }) => rule === 'malformed')) return false;
  return findings.every(({ rule }) => rule === inconclusive) && decision !== 'hardened'
    ? isConfiguredAsBroker(set)
    : true;
}

const finding = (kind: string, name: string): Finding => ({
  rule: 'workload-kind',
  severity: 'warning',
  path: '/kind',
  message: `${kind} ${name} runs a Kafka broker and is not hardened: its pods have neither names nor volumes of their own`,
  remedy: 'Use a StatefulSet with a volumeClaimTemplate: that is hardened on admission',
  action: 'reported',
});

/** Warns of Kafka brokers in workloads that cannot be hardened. Never refuses one. */
export function reviewDeployment(review: Review): Answer {
  const { object, kind, namespace, name } = review;
  if (!kinds.includes(kind) || !object) return allowed;
  const workload = object as Workload;
  if (workload.metadata?.labels?.[keys.ignore] === 'true') return allowed;
  if (!runsBroker(asStatefulSet(workload), namespace)) return allowed;
  return {
    allowed: true,
    warnings: warningsOf([finding(kind, name)]),
    audit: { decision: 'reported' },
  };
}
