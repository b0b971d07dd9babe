import { isObject } from './tree.ts';

/** What keeps an object from being a StatefulSet that the API server would take: a JSON pointer and a sentence. */
export interface Malformed {
  path: string;
  message: string;
}

/** A list of its one element's shape, or an object by field: `name!` must be there, `*` stands for every field. */
type Shape = 'string' | 'integer' | readonly [Shape] | { readonly [field: string]: Shape };

const probe = { exec: { command: ['string'] }, tcpSocket: {}, httpGet: {} } as const;

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

const kindOf = (value: unknown) =>
  Array.isArray(value) ? 'a list' : value === '' ? 'empty' : `a ${typeof value}`;

const wrong = (path: string, wanted: string, value: unknown): Malformed => {
  const hint = wanted === 'a string' && typeof value !== 'object' && value !== '' ? ': put it in quotes' : '';
  return { path, message: `${path || 'the document'} must be ${wanted}, but is ${kindOf(value)}${hint}` };
};

/** The first mismatch, null counting as absent. */
function mismatch(value: unknown, shape: Shape, path: string): Malformed | undefined {
  if (value === undefined || value === null) return undefined;
  if (shape === 'string') return typeof value === 'string' ? undefined : wrong(path, 'a string', value);
  if (shape === 'integer') return Number.isInteger(value) ? undefined : wrong(path, 'a whole number', value);
  if (isList(shape))
    return Array.isArray(value) ? inList(value, shape[0], path) : wrong(path, 'a list', value);
  return isObject(value) ? inObject(value, shape, path) : wrong(path, 'an object', value);
}

const isList = (shape: Shape): shape is readonly [Shape] => Array.isArray(shape);

function inList(list: unknown[], shape: Shape, path: string): Malformed | undefined {
  for (let i = 0; i < list.length; i++) {
    if (list[i] === null) return wrong(`${path}/${i}`, 'an object or a string', list[i]);
    const found = mismatch(list[i], shape, `${path}/${i}`);
    if (found !== undefined) return found;
  }
  return undefined;
}

function inObject(
  object: Record<string, unknown>,
  shape: { readonly [field: string]: Shape },
  path: string,
): Malformed | undefined {
  for (const field in shape) {
    const inner = shape[field] ?? {};
    const required = field.endsWith('!');
    const name = required ? field.slice(0, -1) : field;
    const value = object[name];
    if (required && (value === undefined || value === null || value === ''))
      return { path: `${path}/${name}`, message: `${path}/${name} is missing` };
    const found = name === '*' ? inEvery(object, inner, path) : mismatch(value, inner, `${path}/${name}`);
    if (found !== undefined) return found;
  }
  return undefined;
}

function inEvery(object: Record<string, unknown>, shape: Shape, path: string): Malformed | undefined {
  for (const [name, value] of Object.entries(object)) {
    const found = mismatch(value, shape, `${path}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The first thing that keeps an object from being a StatefulSet; undefined where it can be read. */
export const malformation = (object: unknown): Malformed | undefined =>
  mismatch(object ?? '', statefulSet, '');
