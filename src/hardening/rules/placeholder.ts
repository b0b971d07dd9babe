import { pointerTo, type Rule } from '../draft.ts';
import type { Observed } from './observed.ts';

const words =
  /\b(CHANGE[-_ ]?ME|REPLACE[-_ ]?(ME|THIS|WITH[-_ ]\w+)|FILL[-_ ]?ME|YOUR[-_][A-Z0-9]+([-_][A-Z0-9]+)*|TO[-_]?DO|FIX[-_]?ME|INSERT[-_]\w+[-_]HERE)\b/i;
const reserved = /(?:^|\.)example\.(?:com|org|net)\b/i;

/** A name below example.com and its like, as far as its labels go. */
function reservedDomainIn(text: string): string | undefined {
  for (const name of text.split(/[^\w.-]+/)) {
    const match = reserved.exec(name);
    if (match === null) continue;
    const end = match.index + match[0].length;
    const labels = name.slice(0, end);
    const gap = labels.lastIndexOf('..');
    return labels.slice(gap < 0 ? 0 : gap + 2).replace(/^\./, '');
  }
  return undefined;
}

/** A text that somebody was meant to replace: what it contains, and whether nothing can work with it. */
export interface Placeholder {
  text: string;
  severity: 'error' | 'warning';
}

/**
 * Finds what a template or an example left to be filled in: `<…>`, `{{ … }}`, CHANGEME and its like, and names below example.com,
 * which nobody can own (RFC 2606). XML and shell redirections are none.
 */
export function placeholderIn(text: string): Placeholder | undefined {
  const braces = /\{\{(?:(?!\{\{).)*?\}\}/.exec(text)?.[0];
  if (braces !== undefined) return { text: braces, severity: 'error' };
  const angle = /<[A-Za-z][\w .:-]*>/.exec(text)?.[0];
  if (angle !== undefined && !/<\/|\/>|<\?|<<|\bRULE:/.test(text)) return { text: angle, severity: 'error' };
  const word = words.exec(text)?.[0];
  if (word !== undefined && !/\s\S+\s\S+\s/.test(text)) return { text: word, severity: 'error' };
  const domain = reservedDomainIn(text);
  return domain === undefined ? undefined : { text: domain, severity: 'warning' };
}

export const placeholder: Rule = {
  id: 'placeholder',
  title: 'Nothing left to be filled in',
  why: 'A value such as <your-zookeeper>, CHANGEME or {{ … }} was meant to be replaced before the manifest is applied, and example.com belongs to nobody: no client can follow such a name.',
  remedy: 'Put in the real value; render templates before you apply them.',
  severity: 'error',
  since: 1,
  apply({ container, containerIndex, report }: Observed) {
    const say = (rest: string, name: string, value: string) => {
      const found = placeholderIn(value);
      if (found === undefined) return;
      const { text, severity } = found;
      report({
        path: pointerTo(containerIndex, rest),
        message: `${name} still contains ${text}`,
        severity,
      });
    };
    const image = container.image ?? '';
    const variable = /\$\{?[A-Za-z_]\w*\}?/.exec(image)?.[0];
    if (variable === undefined) say('/image', 'the image', image);
    else
      report({
        path: pointerTo(containerIndex, '/image'),
        message: `the image ${image} contains ${variable}, which nothing replaces`,
      });
    for (const [i, { name, value }] of (container.env ?? []).entries()) say(`/env/${i}`, name, value ?? '');
    for (const field of ['command', 'args'] as const)
      for (const [i, text] of (container[field] ?? []).entries())
        if (!text.includes('\n') && !/\s/.test(text)) say(`/${field}/${i}`, `${field}[${i}]`, text);
  },
};
