import { pointerTo } from '../../hardening/draft.ts';
import { escaped } from '../../hardening/tree.ts';
import type { Broker } from '../brokers.ts';
import { coreDoc, type LintRule, type Said } from '../scene.ts';
import { textsAt, type Subject } from '../subject.ts';

/** A secret in a text: the name that tells, and its line. */
interface Secret {
  name: string;
  line: number;
}

/** References, empty values and masks are no secrets. */
const isReal = (value: string) =>
  value !== '' && !/^[*x]+$|^["']?[$<]|\$[({]|^["']?["']?$|^\/|^file:/i.test(value);

const assigned =
  /(?:^|[\s;"'])-?D?([\w.-]*(?:password|passwd|passphrase|secret|[._]ssl[._]key(?:store)?[._]key)|KAFKA_[A-Z_]*(?:PASSWORD|SECRET))s?\s*[=:]\s*("[^"]*"|'[^']*'|[^\s;"']+)/gi;
const user = /\buser_(\w+)\s*=\s*("[^"]*"|'[^']*')/g;

/** Names that hold no secret: switches, files, ciphers. */
const harmless =
  /(encoder\.(?!secret)|_FILE|\.file|_PATH|location|iterations|algorithm|enabled?|policy|length)/i;

/** Tells the line of a place, and where it begins; of places in order, so that a long text is read once. */
function lineCounter(text: string): (index: number) => { line: number; start: number } {
  let line = 1;
  let start = 0;
  return (index) => {
    for (let end = text.indexOf('\n', start); end >= 0 && end < index; end = text.indexOf('\n', start)) {
      line++;
      start = end + 1;
    }
    return { line, start };
  };
}

/** Finds literal passwords in properties, JAAS entries, JVM options and scripts. Private keys in PEM count too. */
export function secretsIn(text: string): Secret[] {
  const lineAt = lineCounter(text);
  const found = [...text.matchAll(assigned)].flatMap((m): Secret[] => {
    const [, name = '', raw = ''] = m;
    const value = raw.replaceAll(/["']/g, '');
    const { line, start } = lineAt(m.index + (m[0].startsWith('\n') ? 1 : 0));
    const isComment = /^\s*#/.test(text.slice(start, m.index));
    return !isReal(value) || harmless.test(name) || isComment ? [] : [{ name, line }];
  });
  const lineOf = lineCounter(text);
  const users = [...text.matchAll(user)].flatMap((m): Secret[] =>
    isReal((m[2] ?? '').replaceAll(/["']/g, ''))
      ? [{ name: `user_${m[1]}`, line: lineOf(m.index).line }]
      : [],
  );
  const key = /-----BEGIN [A-Z ]*PRIVATE KEY-----/.exec(text);
  const keys = key === null ? [] : [{ name: 'a private key', line: lineCounter(text)(key.index).line }];
  return [...found, ...users, ...keys];
}

const isKafka = (text: string) =>
  /org\.apache\.kafka|LoginModule|^\s*(ssl|sasl|listener\.name|listeners|log\.dirs|zookeeper)[.=]/m.test(
    text,
  );

function inConfigMap(subject: Subject): Said[] {
  return Object.entries(textsAt(subject.value, 'data')).flatMap(([key, text]): Said[] => {
    const isVariable = /^KAFKA_.*(PASSWORD|SECRET|JAAS_CONFIG)$/.test(key);
    const secrets = isVariable
      ? secretsIn(/JAAS/.test(key) ? text : `password=${text}`)
      : isKafka(text)
        ? secretsIn(text)
        : [];
    const [first] = secrets;
    if (first === undefined) return [];
    const names = [...new Set(secrets.map((s) => s.name))].join(', ');
    const line = text.includes('\n') ? ` (line ${first.line})` : '';
    const message = isVariable
      ? `${key} holds a secret in clear text`
      : `${key} holds secrets in clear text${line}: ${names}`;
    return [{ subject, path: `/data/${escaped(key)}`, message }];
  });
}

function inContainer({ workload, container, index }: Broker): Said[] {
  const texts = [
    ...(['command', 'args'] as const).flatMap((field) =>
      (container[field] ?? []).map((text, i) => ({ text, from: `/${field}/${i}`, what: field })),
    ),
    ...(container.env ?? []).flatMap(({ name, value = '' }, i) =>
      /OPTS$|JAAS|CONFIG$/.test(name) ? [{ text: value, from: `/env/${i}`, what: name }] : [],
    ),
  ];
  return texts.flatMap(({ text, from, what }): Said[] => {
    const names = [...new Set(secretsIn(text).map((s) => s.name))].join(', ');
    if (names === '') return [];
    return [
      {
        subject: workload.subject,
        path: workload.pointer(pointerTo(index, from)),
        message: `${what} holds a secret in clear text (${names})`,
      },
    ];
  });
}

export const secrets: LintRule = {
  doc: coreDoc('inline-secret'),
  check: ({ brokers, configMaps }) => [
    ...brokers.flatMap(inContainer),
    ...configMaps.flatMap((c) => inConfigMap(c.subject)),
  ],
};
