import { hardenService } from '../../hardening/index.ts';
import type { Service } from '../../hardening/model.ts';
import { keys } from '../../names.ts';
import type { ClusterView } from '../cluster-view.ts';
import type { Neighbours } from '../neighbours.ts';
import type { Answer } from '../response.ts';
import type { Review } from '../review.ts';
import { auditOf } from '../response.ts';
import { warningsOf } from '../warnings.ts';

/** Completes a Service where it governs a hardened StatefulSet (brokers have names, which resolve before they are ready). */
export async function mutateService(
  review: Review,
  { setsOf }: Pick<ClusterView, 'setsOf'>,
  { hardenedSets }: Pick<Neighbours, 'hardenedSets'>,
): Promise<Answer> {
  const { object, namespace, operation } = review;
  if (review.kind !== 'Service' || !object) return { allowed: true };
  const service = object as unknown as Service;
  if (service.metadata?.labels?.[keys.ignore] === 'true') return { allowed: true };
  const isNew = operation === 'CREATE';
  const sets = (isNew ? await hardenedSets(namespace) : undefined) ?? setsOf(namespace);
  const { patch, findings } = hardenService(service, { sets, isNew });
  return {
    allowed: true,
    patch,
    warnings: warningsOf(
      findings.filter(({ severity, action }) => severity !== 'info' || action === 'fixed'),
    ),
    audit: patch.length > 0 ? { patch: auditOf(patch) } : {},
  };
}
