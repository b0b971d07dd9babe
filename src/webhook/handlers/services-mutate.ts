import { hardenService } from '../../hardening/index.ts';
import type { Service, StatefulSet } from '../../hardening/model.ts';
import { keys } from '../../names.ts';
import type { Answer } from '../response.ts';
import type { Review } from '../review.ts';
import { auditOf } from '../response.ts';

/** The hardened StatefulSets of a namespace. */
export type SetsOf = (namespace: string) => StatefulSet[];

/** Completes a Service where it governs a hardened StatefulSet (names of brokers resolve before they are ready). */
export function mutateService(review: Review, setsOf: SetsOf): Answer {
  const { object, namespace } = review;
  if (review.kind !== 'Service' || !object) return { allowed: true };
  const service = object as unknown as Service;
  if (service.metadata?.labels?.[keys.ignore] === 'true') return { allowed: true };
  const { patch, findings } = hardenService(service, { sets: setsOf(namespace) });
  return {
    allowed: true,
    patch,
    warnings: findings
      .filter(({ severity, action }) => severity !== 'info' || action === 'fixed')
      .map(({ rule, message }) => `kafka-warden [${rule}] ${message}`),
    audit: patch.length > 0 ? { patch: auditOf(patch) } : {},
  };
}
