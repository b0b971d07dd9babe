import type { Finding } from '../hardening/model.ts';
import { maxWarningLength } from './response.ts';

const ranks = { error: 0, warning: 1, info: 2 } as const;
const nothing = /^nothing to do\b/i;

const sentence = (text: string): string => (/[.!?…]$/.test(text.trim()) ? text.trim() : `${text.trim()}.`);

/** A finding as kubectl prints it: rule, what, and the remedy; in two lines where one would be cut. */
function linesOf({ rule, message, remedy, action }: Finding): string[] {
  const what = `kafka-warden [${rule}] ${action === 'fixed' ? 'fixed: ' : ''}${sentence(message)}`;
  if (remedy.trim() === '' || nothing.test(remedy)) return [what];
  const whole = `${what} ${sentence(remedy)}`;
  if (whole.length <= maxWarningLength) return [whole];
  return [what, `kafka-warden [${rule}] Remedy: ${sentence(remedy)}`];
}

/** What is left to a person comes before what is done, and the gravest first. */
const rankOf = ({ action, severity }: Finding): number => (action === 'fixed' ? 3 : 0) + ranks[severity];

/** Findings as warnings of an admission response. What does not fit there is left out from the end. */
export const warningsOf = (findings: readonly Finding[]): string[] =>
  findings.toSorted((a, b) => rankOf(a) - rankOf(b)).flatMap(linesOf);
