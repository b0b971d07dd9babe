import { withoutDefaults } from '../hardening/defaults.ts';
import { malformation, type Malformed } from '../hardening/malformed.ts';
import type { PodSpec, StatefulSet } from '../hardening/model.ts';
import type { JsonObject } from '../hardening/tree.ts';
import { kindOf, nameOf, numberAt, textsAt, valueAt, type Subject } from './subject.ts';

/** Where the pod template of a kind stands; a Pod is its own. */
const templates: Readonly<Record<string, readonly string[]>> = {
  StatefulSet: ['spec', 'template'],
  Deployment: ['spec', 'template'],
  ReplicaSet: ['spec', 'template'],
  DaemonSet: ['spec', 'template'],
  Job: ['spec', 'template'],
  CronJob: ['spec', 'jobTemplate', 'spec', 'template'],
  Pod: [],
};

/** Anything that runs pods, with its template in the form of a StatefulSet so that the same rules can look at it. */
export interface Workload<S extends Subject = Subject> {
  readonly subject: S;
  readonly kind: string;
  readonly name: string;
  readonly namespace: string;
  /** The API's defaults are left out. */
  readonly set: StatefulSet;
  readonly pod: PodSpec;
  readonly podLabels: Readonly<Record<string, string>>;
  readonly replicas: number;
  /** A pointer in `set` as one in the subject. */
  pointer(path: string): string;
}

/** A workload that cannot be read, and why. */
export interface Unreadable<S extends Subject = Subject> extends Malformed {
  readonly subject: S;
}

const setFrom = (subject: Subject, template: JsonObject): JsonObject => {
  const { value } = subject;
  const spec = valueAt(value, 'spec');
  const isSet = kindOf(subject) === 'StatefulSet';
  return {
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: valueAt(value, 'metadata') ?? {},
    spec: {
      ...(isSet && typeof spec === 'object' && !Array.isArray(spec) ? spec : {}),
      ...(isSet ? {} : { replicas: numberAt(value, 'spec', 'replicas') ?? 1 }),
      template,
    },
  };
};

/** Reads a workload; undefined for objects of other kinds. */
export function workloadOf<S extends Subject>(subject: S): Workload<S> | Unreadable<S> | undefined {
  const kind = kindOf(subject);
  const path = Object.hasOwn(templates, kind) ? templates[kind] : undefined;
  if (path === undefined) return undefined;
  const { value } = subject;
  const found =
    path.length === 0
      ? { metadata: valueAt(value, 'metadata') ?? {}, spec: valueAt(value, 'spec') ?? null }
      : valueAt(value, ...path);
  const pointer = (inner: string) =>
    inner.startsWith('/spec/template')
      ? `${path.map((p) => `/${p}`).join('')}${inner.slice('/spec/template'.length)}`
      : inner;
  const written = setFrom(subject, (found ?? null) as JsonObject);
  const malformed = malformation(written);
  if (malformed !== undefined) return { ...malformed, subject, path: pointer(malformed.path) };
  const plain = withoutDefaults(written) as unknown as StatefulSet;
  const pod = plain.spec?.template.spec ?? { containers: [] };
  return {
    subject,
    kind,
    name: nameOf(subject),
    namespace: subject.namespace,
    set: plain,
    pod,
    podLabels: textsAt(written, 'spec', 'template', 'metadata', 'labels'),
    replicas: kind === 'DaemonSet' ? 2 : (numberAt(written, 'spec', 'replicas') ?? 1),
    pointer,
  };
}

export const isReadable = <S extends Subject>(w: Workload<S> | Unreadable<S>): w is Workload<S> => 'pod' in w;
