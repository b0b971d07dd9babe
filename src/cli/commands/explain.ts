import type { RuleDoc } from '../../hardening/index.ts';
import { allRules as rules } from '../../lint/index.ts';
import { CliError, exitCodes, type ExitCode } from '../errors.ts';
import { table, wrapped } from '../output/table.ts';
import type { Terminal } from '../output/terminal.ts';

/** Levenshtein's distance, row by row. */
const distance = (a: string, b: string): number => {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
};

/** The known name that a mistyped one is nearest to, unless it is nothing like any. */
export const nearest = (name: string, known: readonly string[]): string | undefined => {
  const within = known.filter((one) => name.length > 2 && one.includes(name));
  const [best] = known
    .map((one) => ({ one, steps: within.includes(one) ? 1 : distance(name, one) }))
    .sort((a, b) => a.steps - b.steps);
  return best !== undefined && best.steps <= Math.max(1, Math.floor(best.one.length / 3))
    ? best.one
    : undefined;
};

const described = (terminal: Terminal, { id, title, severity, why, remedy }: RuleDoc): string =>
  `${terminal.paint('out', 'bold', id)}: ${title} (${severity})\n\n` +
  `Why\n${wrapped(why, '  ')}\nRemedy\n${wrapped(remedy, '  ')}`;

/** `kafka-warden explain [RULE]`: what a rule wants and why; without a name, all rules. */
export const explainCommand = (
  { rule, output }: { rule?: string; output?: 'text' | 'json' },
  terminal: Terminal,
): ExitCode => {
  const ids = Object.keys(rules);
  if (rule === undefined) {
    if (output === 'json') terminal.out(`${JSON.stringify(Object.values(rules), undefined, 2)}\n`);
    else {
      const rows = Object.values(rules).map(({ id, severity, title }) => [id, severity, title]);
      terminal.out(table([['RULE', 'SEVERITY', 'WHAT'], ...rows]));
    }
    return exitCodes.ok;
  }
  const found = Object.hasOwn(rules, rule) ? rules[rule] : undefined;
  if (found === undefined) {
    const near = nearest(rule, ids);
    throw new CliError(
      'unknown-rule',
      `There is no rule ${rule}.${near === undefined ? '' : ` Did you mean ${near}?`} \`kafka-warden explain\` lists all.`,
    );
  }
  terminal.out(output === 'json' ? `${JSON.stringify(found, undefined, 2)}\n` : described(terminal, found));
  return exitCodes.ok;
};
