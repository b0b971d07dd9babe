import type { Finding } from '../hardening/model.ts';
import { maxWarningLength } from './response.ts';

const ranks = { error: 0, warning: 1, info: 2 } as const;
const nothing = /^nothing to do\b/i;

const sentence = (text: string): string => (/[.!?…]$/.test(text.trim()) ? text.trim() : `${text.trim()}.`);

/** A finding as kubectl prints it: rule, what, and the remedy; in two lines where one would be cut. */
function linesOf({ rule, message, remedy }: Finding): string[] {
  const what = `kafka-warden [${rule}] ${sentence(message)}`;
  if (remedy.trim() === '' || nothing.test(remedy)) return [what];
  const whole = `${what} ${sentence(remedy)}`;
  if (whole.length <= maxWarningLength) return [whole];
  return [what, `kafka-warden [${rule}] Remedy: ${sentence(remedy)}`];
}

/** Findings as warnings of an admission response, the gravest first: what does not fit is left out from the end. */
export const warningsOf = (findings: readonly Finding[]): string[] =>
  findings.toSorted((a, b) => ranks[a.severity] - ranks[b.severity]).flatMap(linesOf);
