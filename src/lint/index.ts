import {
  harden,
  hardenService,
  isHardened,
  layoutOf,
  rules as coreRules,
  type Decision,
  type Finding,
  type Layout,
  type Mode,
  type RuleDoc,
  type Service,
  type StatefulSet,
} from '../hardening/index.ts';
import { malformation } from '../hardening/malformed.ts';
import { observe } from './observe.ts';
import { placeElsewhere } from './places.ts';
import { lintRules } from './rules/index.ts';
import { removedApi } from './rules/removed-api.ts';
import { brokerCount, sceneOf, type LintFinding, type LintRule, type Scene } from './scene.ts';
import { kindOf, nameOf, type Subject } from './subject.ts';

export type { LintFinding } from './scene.ts';
export type { Subject } from './subject.ts';

/** What linting tells. */
export interface Report<S extends Subject> {
  /** In the order of the subjects. */
  findings: LintFinding<S>[];
  /** What admission does with each StatefulSet. */
  decisions: ReadonlyMap<S, Decision>;
  /** Everything that runs a broker or a controller, of whatever kind. */
  brokers: readonly S[];
}

/** Every rule that a finding may carry, by id. */
export const allRules: Readonly<Record<string, RuleDoc>> = {
  ...coreRules,
  ...Object.fromEntries(lintRules.map(({ doc }) => [doc.id, doc])),
};

interface Core<S extends Subject> {
  findings: LintFinding<S>[];
  decisions: Map<S, Decision>;
  layouts: Map<Subject, Layout>;
}

const setOf = ({ value }: Subject): StatefulSet => value;

/** What stands beside a set in its namespace: Services, and other sets, the earlier ones as they are hardened. */
function beside(subject: Subject, subjects: readonly Subject[], hardened: ReadonlyMap<Subject, StatefulSet>) {
  const near = subjects.filter((s) => s !== subject && s.namespace === subject.namespace);
  return {
    services: near.filter((s) => kindOf(s) === 'Service').map(({ value }): Service => value),
    siblings: near
      .filter((s) => kindOf(s) === 'StatefulSet' && nameOf(s) !== nameOf(subject) && isSound(s))
      .map((s) => hardened.get(s) ?? setOf(s)),
  };
}

const isSound = ({ value }: Subject): boolean => malformation(value) === undefined;

/** What the core says of every StatefulSet, and of the Services of those that it hardens. */
function judge<S extends Subject>(subjects: readonly S[], mode: Mode): Core<S> {
  const core: Core<S> = { findings: [], decisions: new Map(), layouts: new Map() };
  const hardened = new Map<Subject, StatefulSet>();
  const say = (subject: S, findings: readonly Finding[]) =>
    core.findings.push(...findings.map((f) => ({ ...f, subject })));
  for (const subject of subjects.filter((s) => kindOf(s) === 'StatefulSet')) {
    const context = { ...beside(subject, subjects, hardened), namespace: subject.namespace };
    const { decision, findings } = harden(setOf(subject), { ...context, mode });
    core.decisions.set(subject, decision);
    say(subject, findings);
    const wished = harden(setOf(subject), { ...context, mode: 'harden' });
    const layout = wished.decision === 'hardened' ? layoutOf(wished.workload) : undefined;
    if (layout === undefined) continue;
    core.layouts.set(subject, layout);
    hardened.set(subject, wished.workload);
  }
  for (const subject of subjects.filter((s) => kindOf(s) === 'Service')) {
    const sets = [...hardened].flatMap(([s, set]) => (s.namespace === subject.namespace ? [set] : []));
    if (sets.length > 0) say(subject, hardenService(subject.value, { sets }).findings);
  }
  return core;
}

/** What the rules for single brokers say, each finding at the object that it lies in. */
function observations<S extends Subject>(scene: Scene<S>): LintFinding<S>[] {
  return scene.brokers.flatMap((broker) => {
    const { workload } = broker;
    if (isHardened(workload.set)) return [];
    return observe(broker, brokerCount(scene, broker)).flatMap((finding): LintFinding<S>[] => {
      const other = placeElsewhere(finding.path);
      if (other === undefined)
        return [{ ...finding, subject: workload.subject, path: workload.pointer(finding.path) }];
      const subject = scene.subjects[other.subject];
      return subject === undefined ? [] : [{ ...finding, subject, path: other.path }];
    });
  });
}

function crossed<S extends Subject>(scene: Scene<S>, rules: readonly LintRule[]): LintFinding<S>[] {
  const own = new Set<Subject>(scene.subjects);
  const isOwn = (subject: Subject): subject is S => own.has(subject);
  return rules.flatMap(({ doc, check }) =>
    check(scene).flatMap(({ subject, path, message, remedy = doc.remedy, severity = doc.severity }) =>
      isOwn(subject)
        ? [{ rule: doc.id, severity, path, message, remedy, action: 'reported' as const, subject }]
        : [],
    ),
  );
}

/** Rules that say the same of one place: the other one's word is enough. */
const sameMatter: Readonly<Record<string, string>> = { voters: 'identity', malformed: 'removed-api' };

/** Findings without those that say the same again. */
function onceEach<S extends Subject>(findings: readonly LintFinding<S>[]): LintFinding<S>[] {
  const told = new Map<S, Set<string>>();
  return findings.filter(({ subject, rule, path, message }) => {
    const known = told.get(subject) ?? new Set();
    const text = JSON.stringify([rule, path, message]);
    if (known.has(text)) return false;
    told.set(subject, known.add(text));
    return true;
  });
}

/** What several sources say of one place, the first of them: the core, where it speaks. Each may say several things of it. */
function withoutRepeats<S extends Subject>(
  sources: readonly (readonly LintFinding<S>[])[],
): LintFinding<S>[] {
  const said = new Map<S, Set<string>>();
  return sources.flatMap((source) => {
    const fresh = source.filter(({ subject, rule, path }) => {
      const known = said.get(subject);
      const other = sameMatter[rule];
      return !known?.has(`${rule} ${path}`) && !(other !== undefined && known?.has(`${other} ${path}`));
    });
    for (const { subject, rule, path } of fresh)
      said.set(subject, (said.get(subject) ?? new Set()).add(`${rule} ${path}`));
    return onceEach(fresh);
  });
}

/**
 * Looks at all objects of a set of manifests together: StatefulSets as admission does, everything else that runs Kafka by the same
 * rules, and what only several objects show (Services, ConfigMaps, budgets, other sets of the cluster). Pure; never throws.
 */
export function lint<S extends Subject>(
  subjects: readonly S[],
  { mode = 'audit' }: { mode?: Mode } = {},
): Report<S> {
  const core = judge(subjects, mode);
  const scene = sceneOf(subjects, core.layouts);
  const unreadable = scene.unreadable.map(({ subject, path, message }): LintFinding<S> => {
    const { id, severity, remedy } = coreRules['malformed'] ?? {
      id: 'malformed',
      severity: 'error',
      remedy: '',
    };
    return { rule: id, severity, path, message, remedy, action: 'reported', subject };
  });
  const order = new Map(subjects.map((s, i) => [s, i]));
  const versions = crossed(scene, [removedApi]);
  const sources = [versions, core.findings, unreadable, observations(scene), crossed(scene, lintRules)];
  const findings = withoutRepeats(sources).sort(
    (a, b) => (order.get(a.subject) ?? 0) - (order.get(b.subject) ?? 0),
  );
  return {
    findings,
    decisions: core.decisions,
    brokers: [...new Set(scene.brokers.map((b) => b.workload.subject))],
  };
}
