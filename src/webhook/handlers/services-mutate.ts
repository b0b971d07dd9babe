import { hardenService } from '../../hardening/index.ts';
import type { Service } from '../../hardening/model.ts';
import { keys } from '../../names.ts';
import type { ClusterView } from '../cluster-view.ts';
import type { Answer } from '../response.ts';
import type { Review } from '../review.ts';
import { auditOf } from '../response.ts';
import { warningsOf } from '../warnings.ts';

/** Completes a Service where it governs a hardened StatefulSet (names of brokers resolve before they are ready). */
export function mutateService(review: Review, { setsOf }: Pick<ClusterView, 'setsOf'>): Answer {
  const { object, namespace } = review;
  if (review.kind !== 'Service' || !object) return { allowed: true };
  const service = object as unknown as Service;
  if (service.metadata?.labels?.[keys.ignore] === 'true') return { allowed: true };
  const { patch, findings } = hardenService(service, { sets: setsOf(namespace) });
  return {
    allowed: true,
    patch,
    warnings: warningsOf(
      findings.filter(({ severity, action }) => severity !== 'info' || action === 'fixed'),
    ),
    audit: patch.length > 0 ? { patch: auditOf(patch) } : {},
  };
}
