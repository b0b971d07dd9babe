import type { Decision, Finding } from '../../hardening/index.ts';
import type { Assessment } from '../assess.ts';
import { placeText } from '../errors.ts';
import { nameOf, placeOf } from '../manifest/objects.ts';
import type { Style, Terminal } from './terminal.ts';

const styles: Record<Finding['severity'], Style> = { error: 'red', warning: 'yellow', info: 'cyan' };

const plural = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;

const verdicts: Record<Decision, (assessment: Assessment) => string> = {
  hardened: ({ patch }) =>
    patch.length === 0
      ? 'already hardened'
      : `hardened: ${plural(patch.length, 'change')} by ${[...new Set(patch.map(({ rule }) => rule))].join(', ')}`,
  unchanged: () => 'unchanged',
  reported: () => 'left as it is',
  refused: () => 'refused',
  ignored: () => 'no Kafka, or opted out: left as it is',
};

const findingText = (terminal: Terminal, { object }: Assessment, finding: Finding): string => {
  const { rule, severity, path, message, remedy, action } = finding;
  const word = action === 'reported' ? severity : action;
  const mark = terminal.paint('err', styles[action === 'refused' ? 'error' : severity], word.padEnd(8));
  const { line } = placeOf(object, path);
  const where = line === undefined ? `at ${path}` : `line ${line}, ${path}`;
  const advice = remedy === '' || action === 'fixed' ? '' : `           ${remedy}\n`;
  return `  ${mark} ${rule}: ${message}\n${terminal.paint('err', 'gray', `           ${where}`)}\n${advice}`;
};

/** What was done with one object, and each finding with its remedy. */
export const assessmentText = (terminal: Terminal, assessment: Assessment): string => {
  const { object, namespace, decision, findings } = assessment;
  const place = terminal.paint('err', 'gray', `(${placeText(placeOf(object))})`);
  const head = `${terminal.paint('err', 'bold', nameOf(object, namespace))} ${verdicts[decision](assessment)} ${place}`;
  return `${head}\n${findings.map((finding) => findingText(terminal, assessment, finding)).join('')}`;
};

/** Whether an assessment is worth a line: a Service that needs nothing is not. */
export const isWorthSaying = ({ object, decision, findings }: Assessment): boolean =>
  findings.length > 0 || decision === 'hardened' || (object.kind === 'StatefulSet' && decision !== 'ignored');
