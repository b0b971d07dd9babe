import type { Finding } from '../../hardening/model.ts';
import type { Answer } from '../response.ts';
import type { Review } from '../review.ts';

const maxShown = 5;

/** `StatefulSet shop/kafka`, as kubectl prints it. */
export const subjectOf = ({ kind, namespace, name }: Review): string =>
  `${kind} ${namespace}/${name || '(generated name)'}`;

/** A denial that says what, where, and what next. */
export function refusal(review: Review, findings: readonly Finding[]): Answer {
  const refused = findings.filter(({ action }) => action === 'refused');
  const shown = refused
    .slice(0, maxShown)
    .map(({ rule, path, message, remedy }) => `[${rule}] ${message} (${path}). ${remedy}`);
  const more =
    refused.length > maxShown
      ? [`… and ${refused.length - maxShown} more: kafka-warden lint -f FILE shows all`]
      : [];
  return {
    allowed: false,
    code: 422,
    reason: 'Invalid',
    message: [`kafka-warden refuses ${subjectOf(review)}:`, ...shown, ...more].join('\n'),
    audit: { decision: 'refused', rules: [...new Set(refused.map(({ rule }) => rule))].join(',') },
  };
}
