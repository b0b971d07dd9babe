import assert from 'node:assert/strict';

/** Longer than what a manifest holds in one place, and what Linux takes as one argument is not much longer. */
const length = 100_000;

const units = [
  ...[
    'a',
    '1',
    '-',
    '.',
    'a.',
    'a-1',
    '/',
    '//',
    ' ',
    '\n',
    '\\',
    '\\\n',
    '"',
    "'",
    '`',
    '$',
    '$(',
    '${',
    '$((',
  ],
  ...[
    '"$(',
    '"`',
    '<',
    '<a',
    '{{',
    '(',
    ')',
    ':',
    '@',
    '=',
    ',',
    '#',
    '|',
    '>a ',
    '<<E\n',
    'NULL',
    'a.b=',
    'x=1 ',
  ],
  ...['exec ', 'password=', 'user_a="', '0@a:1,', 'A://a:1,', '$(A)', '2.13-', '-----BEGIN '],
];

/** Texts at which a pattern that tries again at every place would take minutes, by what they repeat. */
export const hostileTexts: readonly (readonly [name: string, text: string])[] = units.flatMap((unit) => {
  const text = unit.repeat(Math.ceil(length / unit.length));
  const name = JSON.stringify(unit);
  return [
    [name, text],
    [`${name} and an end`, `${text}/\n!`],
  ] as const;
});

/** Names that every object of JavaScript has. */
export const inheritedNames = ['constructor', 'toString', 'hasOwnProperty', 'valueOf', '__proto__'] as const;

/** Runs it in at most a second of this process's own time, however busy the machine is. */
export function quickly<T>(what: string, run: () => T): T {
  const from = process.cpuUsage();
  const value = run();
  const { user, system } = process.cpuUsage(from);
  const seconds = (user + system) / 1e6;
  assert.ok(seconds < 1, `${what}: ${seconds} s`);
  return value;
}
