import { lint } from '../../lint/index.ts';
import type { JsonObject } from '../../hardening/tree.ts';
import type { Answer } from '../response.ts';
import type { Review } from '../review.ts';
import { warningsOf } from '../warnings.ts';

const allowed: Answer = { allowed: true };
const kinds = ['Deployment', 'DaemonSet'];

/** Warns of Kafka brokers in workloads that cannot be hardened. Never refuses one. */
export function reviewDeployment({ object, kind, namespace }: Review): Answer {
  if (!kinds.includes(kind) || !object) return allowed;
  const { brokers, findings } = lint([{ value: object as JsonObject, namespace }]);
  if (brokers.length === 0) return allowed;
  return {
    allowed: true,
    warnings: [
      `kafka-warden hardens StatefulSets: this ${kind} runs Kafka, and is left as it is`,
      ...warningsOf(findings.filter(({ rule }) => rule === 'workload-kind')),
    ],
    audit: { decision: 'reported' },
  };
}
