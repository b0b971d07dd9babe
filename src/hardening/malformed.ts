import { escaped, isObject } from './tree.ts';

/** What keeps an object from being a StatefulSet that the API server would take: a JSON pointer and a sentence. */
export interface Malformed {
  path: string;
  message: string;
}

/** A list of its one element's shape, or an object by field: `name!` must be there, `*` stands for every field. */
type Shape = 'string' | 'integer' | readonly [Shape] | { readonly [field: string]: Shape };

const probe = { exec: { command: ['string'] }, tcpSocket: {}, httpGet: {} } as const;

const hook = { exec: { command: ['string'] }, tcpSocket: {}, httpGet: {}, sleep: {} } as const;

const container = {
  'name!': 'string',
  image: 'string',
  command: ['string'],
  args: ['string'],
  env: [{ 'name!': 'string', value: 'string', valueFrom: { fieldRef: { 'fieldPath!': 'string' } } }],
  envFrom: [{}],
  ports: [{ 'containerPort!': 'integer', name: 'string' }],
  volumeMounts: [{ 'name!': 'string', 'mountPath!': 'string' }],
  securityContext: {},
  resources: {},
  readinessProbe: probe,
  livenessProbe: probe,
  startupProbe: probe,
  lifecycle: { postStart: hook, preStop: hook },
} as const;

/** The fields that are read here; whatever else there is passes. */
const statefulSet: Shape = {
  'metadata!': { 'name!': 'string', annotations: { '*': 'string' }, labels: { '*': 'string' } },
  'spec!': {
    replicas: 'integer',
    serviceName: 'string',
    ordinals: { start: 'integer' },
    updateStrategy: { rollingUpdate: {} },
    'template!': {
      metadata: { annotations: { '*': 'string' }, labels: { '*': 'string' } },
      'spec!': {
        'containers!': [container],
        initContainers: [container],
        volumes: [{ 'name!': 'string' }],
        securityContext: {},
        affinity: {},
        topologySpreadConstraints: [{}],
        terminationGracePeriodSeconds: 'integer',
      },
    },
    volumeClaimTemplates: [{ 'metadata!': { 'name!': 'string' }, spec: {} }],
  },
};

/** A shape made ready for reading: the suffix taken off, required fields marked. */
type Reader =
  | { kind: 'string' | 'integer' }
  | { kind: 'list'; element: Reader }
  | { kind: 'object'; fields: { name: string; required: boolean; reader: Reader }[] };

function readerOf(shape: Shape): Reader {
  if (typeof shape === 'string') return { kind: shape };
  if (isList(shape)) return { kind: 'list', element: readerOf(shape[0]) };
  const fields = Object.entries(shape).map(([field, inner]) => ({
    name: field.replace(/!$/, ''),
    required: field.endsWith('!'),
    reader: readerOf(inner),
  }));
  return { kind: 'object', fields };
}

const isList = (shape: Shape): shape is readonly [Shape] => Array.isArray(shape);

const nouns = { string: 'a string', integer: 'a whole number', list: 'a list', object: 'an object' } as const;
const fits: Record<Reader['kind'], (value: unknown) => boolean> = {
  string: (value) => typeof value === 'string',
  integer: (value) => Number.isInteger(value),
  list: (value) => Array.isArray(value),
  object: isObject,
};

/** The first mismatch: the segments of its place from the last to the first, and what is wrong there. */
interface Mismatch {
  place: (string | number)[];
  problem: string;
}

/** null counts as absent. */
function mismatch(value: unknown, reader: Reader): Mismatch | undefined {
  if (value === undefined || value === null) return undefined;
  if (!fits[reader.kind](value)) return { place: [], problem: problemOf(value, reader.kind) };
  if (reader.kind === 'list') return inList(value as unknown[], reader.element);
  if (reader.kind === 'object') return inObject(value as Record<string, unknown>, reader.fields);
  return undefined;
}

function problemOf(value: unknown, wanted: Reader['kind']): string {
  const kind = Array.isArray(value) ? 'a list' : value === '' ? 'empty' : `a ${typeof value}`;
  const hint = wanted === 'string' && typeof value !== 'object' ? ': put it in quotes' : '';
  return `must be ${nouns[wanted]}, but is ${kind}${hint}`;
}

const within = (segment: string | number, found: Mismatch | undefined): Mismatch | undefined => {
  found?.place.push(segment);
  return found;
};

function inList(list: unknown[], element: Reader): Mismatch | undefined {
  for (let i = 0; i < list.length; i++) {
    const value = list[i];
    const found =
      value === null
        ? { place: [], problem: `must be ${nouns[element.kind]}, but is empty` }
        : mismatch(value, element);
    if (found !== undefined) return within(i, found);
  }
  return undefined;
}

type Fields = Extract<Reader, { kind: 'object' }>['fields'];

function inObject(object: Record<string, unknown>, fields: Fields): Mismatch | undefined {
  for (const { name, required, reader } of fields) {
    if (name === '*') return inEvery(object, reader);
    const value = object[name];
    if (required && (value === undefined || value === null || value === ''))
      return { place: [name], problem: 'is missing' };
    const found = mismatch(value, reader);
    if (found !== undefined) return within(name, found);
  }
  return undefined;
}

function inEvery(object: Record<string, unknown>, reader: Reader): Mismatch | undefined {
  for (const name in object) {
    const found = mismatch(object[name], reader);
    if (found !== undefined) return within(name, found);
  }
  return undefined;
}

/** Far deeper than any object of the API goes; what reads an object calls itself for each level. */
const deepest = 100;
/** A place that deep is told by its beginning. */
const toldSegments = 8;

/** What no object of the API has, wherever it stands: endless nesting, and the one key that JavaScript takes for another thing. */
function strange(value: unknown, depth = 0): Mismatch | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  if (depth === deepest) return { place: [], problem: `is nested more than ${deepest} levels deep` };
  if (Object.hasOwn(value, '__proto__'))
    return { place: ['__proto__'], problem: 'is a key that nothing has' };
  for (const [key, inner] of Array.isArray(value) ? value.entries() : Object.entries(value)) {
    const found = strange(inner, depth + 1);
    if (found !== undefined) return depth < toldSegments ? within(key, found) : found;
  }
  return undefined;
}

const reader = readerOf(statefulSet);

/** The first thing that keeps an object from being a StatefulSet; undefined where it can be read. */
export function malformation(object: unknown): Malformed | undefined {
  const found = mismatch(object ?? '', reader) ?? strange(object);
  if (found === undefined) return undefined;
  const path = found.place.reduceRight<string>((text, segment) => `${text}/${escaped(String(segment))}`, '');
  return { path, message: `${path || 'the document'} ${found.problem}` };
}
