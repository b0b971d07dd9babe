import { pointerTo, type Rule } from '../draft.ts';
import type { Container } from '../model.ts';
import type { Observed } from './observed.ts';

/**
 * `${HOSTNAME##*-}`, `${POD:-x}`, `$(hostname -s)`, backquotes. Not `$(NAME)`, which the kubelet resolves, nor `${alias:path:key}`,
 * which a config provider does, nor `$1` of a mapping rule.
 */
const expressions: readonly ((text: string) => string | undefined)[] = [
  (text) => /\$\{[A-Za-z_]\w*(\}|[-+=?#%/^,@]|:[-+=?])[^{]*/.exec(text)?.[0],
  commandIn,
  (text) => /\$\(\(/.exec(text)?.[0],
  (text) => /`[^`]+`/.exec(text)?.[0],
  (text) => /(^|[^\w$])\$[A-Z][A-Z_]{2,}\b/.exec(text)?.[0],
];

/** `$(…)` with more than a name in it. Up to each parenthesis once: a pattern would begin anew at every `$(`. */
function commandIn(text: string): string | undefined {
  for (const piece of text.split(')').slice(0, -1)) {
    const from = piece.indexOf('$(');
    if (from >= 0 && /[\s|;&'"]/.test(piece.slice(from))) return `${piece.slice(from)})`;
  }
  return undefined;
}

/** Variables that images evaluate, or that are scripts or patterns themselves. */
const evaluated = /(_COMMAND|_SCRIPT|MAPPING_RULES|_REGEX|_PATTERN|_LAYOUT)$|^(BASH|ENV|PS1|PROMPT)/;

/** A start script may expand what it finds in its environment. */
const expands = ({ command = [], args = [] }: Container) =>
  /\beval\b|envsubst|\bgomplate\b|\$\{!/.test([...command, ...args].join('\n'));

export const shellInEnv: Rule = {
  id: 'shell-in-env',
  title: 'No shell syntax in the value of a variable',
  why: 'No shell sees the value of an environment variable: ${HOSTNAME##*-} or $(hostname -s) reaches Kafka as it stands. Only $(NAME) of a variable that is defined before is resolved, by the kubelet.',
  remedy: 'Use $(NAME) of a variable with valueFrom.fieldRef, or export the variable in a start script.',
  severity: 'error',
  since: 1,
  apply({ container, containerIndex, report }: Observed) {
    if (expands(container)) return;
    for (const [i, { name, value = '' }] of (container.env ?? []).entries()) {
      if (!/^(KAFKA|CLUSTER_ID$|CONFLUENT)/.test(name) || evaluated.test(name)) continue;
      const found = expressions.map((find) => find(value)).find((text) => text !== undefined);
      if (found === undefined) continue;
      report({
        path: pointerTo(containerIndex, `/env/${i}`),
        message: `${name} contains ${found.trim()}, which no shell expands: Kafka gets the text as it is`,
      });
    }
  },
};
