import { pointerTo, type Rule } from '../draft.ts';
import type { Container } from '../model.ts';
import type { Observed } from './observed.ts';

/**
 * `${HOSTNAME##*-}`, `${POD:-x}`, `$(hostname -s)`, backquotes. Not `$(NAME)`, which the kubelet resolves, nor `${alias:path:key}`,
 * which a config provider does, nor `$1` of a mapping rule.
 */
const expressions = [
  /\$\{[A-Za-z_]\w*(\}|[-+=?#%/^,@]|:[-+=?])[^{]*/,
  /\$\([^)]*[\s|;&'"][^)]*\)/,
  /\$\(\(/,
  /`[^`]+`/,
  /(^|[^\w$])\$[A-Z][A-Z_]{2,}\b/,
];

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
      const found = expressions.map((e) => e.exec(value)?.[0]).find((text) => text !== undefined);
      if (found === undefined) continue;
      report({
        path: pointerTo(containerIndex, `/env/${i}`),
        message: `${name} contains ${found.trim()}, which no shell expands: Kafka gets the text as it is`,
      });
    }
  },
};
