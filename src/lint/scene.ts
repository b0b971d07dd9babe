import { rules } from '../hardening/index.ts';
import type { Finding, Layout, RuleDoc } from '../hardening/model.ts';
import { brokersOf, type Broker } from './brokers.ts';
import { configMapOf, type ConfigMap } from './configuration.ts';
import { kindOf, type Subject } from './subject.ts';
import { isReadable, workloadOf, type Unreadable, type Workload } from './workload.ts';

/** All objects of the input, read once and asked by every rule. */
export interface Scene<S extends Subject = Subject> {
  readonly subjects: readonly S[];
  readonly workloads: readonly Workload<S>[];
  readonly unreadable: readonly Unreadable<S>[];
  readonly brokers: readonly Broker<S>[];
  readonly configMaps: readonly ConfigMap[];
  readonly ofKind: (...kinds: string[]) => readonly S[];
  /** The layout of a set that admission hardens (or has hardened); undefined for all that is left alone. */
  readonly layoutOf: (subject: Subject) => Layout | undefined;
}

/** A finding and the object that it is about. */
export interface LintFinding<S extends Subject = Subject> extends Finding {
  readonly subject: S;
}

/** What a rule of the linter says; severity and remedy default to the rule's own. */
export interface Said<S extends Subject = Subject> {
  subject: S;
  path: string;
  message: string;
  remedy?: string;
  severity?: Finding['severity'];
}

/** A rule over all objects together. Where it is the other half of a core rule, it has that rule's page. */
export interface LintRule {
  readonly doc: RuleDoc;
  readonly check: (scene: Scene) => Said[];
}

/** The page of a core rule. */
export function coreDoc(id: string): RuleDoc {
  const doc = rules[id];
  if (doc === undefined) throw new Error(`the core has no rule ${id}`);
  return doc;
}

/** Reads the objects of the input. Never throws: what cannot be read is `unreadable`, or not there. */
export function sceneOf<S extends Subject>(
  subjects: readonly S[],
  layouts: ReadonlyMap<Subject, Layout>,
): Scene<S> {
  const configMaps = subjects.flatMap((s, i) => (kindOf(s) === 'ConfigMap' ? [configMapOf(s, i)] : []));
  const read = subjects.flatMap((s) => workloadOf(s) ?? []);
  const workloads = read.filter(isReadable<S>);
  return {
    subjects,
    workloads,
    unreadable: read.flatMap((w) => (isReadable(w) ? [] : [w])),
    brokers: workloads.flatMap((w) =>
      brokersOf(
        w,
        configMaps.filter((c) => c.subject.namespace === w.namespace),
      ),
    ),
    configMaps,
    ofKind: (...kinds) => subjects.filter((s) => kinds.includes(kindOf(s))),
    layoutOf: (subject) => layouts.get(subject),
  };
}

/** Pods of one cluster that serve clients, over all its workloads in the input. */
export const brokerCount = ({ brokers }: Scene, { cluster, workload }: Broker): number =>
  brokers
    .filter(
      (b) => b.cluster === cluster && b.workload.namespace === workload.namespace && b.role !== 'controller',
    )
    .reduce((sum, b) => sum + b.workload.replicas, 0);
