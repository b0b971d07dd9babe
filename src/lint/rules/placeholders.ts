import { placeholderIn } from '../../hardening/rules/placeholder.ts';
import { escaped, type Json } from '../../hardening/tree.ts';
import { isBrokerFile, parseProperties } from '../properties.ts';
import { coreDoc, type LintRule, type Said } from '../scene.ts';
import { kindOf, objectsAt, textAt, textsAt, type Subject } from '../subject.ts';

type Place = readonly [path: string, name: string, text: string | undefined];

const metadataOf = ({ value }: Subject): Place[] => [
  ['/metadata/name', 'the name', textAt(value, 'metadata', 'name')],
  ['/metadata/namespace', 'the namespace', textAt(value, 'metadata', 'namespace')],
];

const serviceOf = ({ value }: Subject): Place[] => [
  ['/spec/externalName', 'externalName', textAt(value, 'spec', 'externalName')],
  ['/spec/loadBalancerIP', 'loadBalancerIP', textAt(value, 'spec', 'loadBalancerIP')],
  ...Object.entries(textsAt(value, 'metadata', 'annotations'))
    .filter(([key]) => /hostname|ssl-cert|subnet/.test(key))
    .map(([key, text]): Place => [`/metadata/annotations/${escaped(key)}`, key, text]),
];

const ingressOf = ({ value }: Subject): Place[] =>
  objectsAt(value, 'spec', 'rules').map(([i, rule]) => [
    `/spec/rules/${i}/host`,
    'the host',
    textAt(rule, 'host'),
  ]);

const claimsOf = ({ value }: Subject): Place[] =>
  objectsAt(value, 'spec', 'volumeClaimTemplates').map(([i, claim]) => [
    `/spec/volumeClaimTemplates/${i}/spec/storageClassName`,
    'the storage class',
    textAt(claim, 'spec', 'storageClassName'),
  ]);

function filesOf({ value }: Subject): Place[] {
  return Object.entries(textsAt(value, 'data')).flatMap(([key, text]) => {
    const properties = parseProperties(text);
    if (!isBrokerFile(properties)) return [];
    return properties.map((p): Place => [`/data/${escaped(key)}`, `${p.key} (line ${p.line})`, p.value]);
  });
}

const places: Readonly<Record<string, (subject: Subject) => Place[]>> = {
  Service: serviceOf,
  Ingress: ingressOf,
  StatefulSet: claimsOf,
  ConfigMap: filesOf,
};

const isTemplate = (text: Json) => typeof text === 'string' && /\{\{|<[A-Za-z]/.test(text);

function check(subject: Subject): Said[] {
  const own = Object.hasOwn(places, kindOf(subject)) ? places[kindOf(subject)] : undefined;
  const named = metadataOf(subject).filter(([, , text]) => text !== undefined && isTemplate(text));
  return [...named, ...(own?.(subject) ?? [])].flatMap(([path, name, text]): Said[] => {
    const found = text === undefined ? undefined : placeholderIn(text);
    if (found === undefined) return [];
    return [{ subject, path, message: `${name} still contains ${found.text}`, severity: found.severity }];
  });
}

export const placeholders: LintRule = {
  doc: coreDoc('placeholder'),
  check: ({ subjects, brokers }) => (brokers.length === 0 ? [] : subjects.flatMap(check)),
};
