import type { Start } from './command.ts';
import type { Configuration } from './configuration.ts';
import type { Container, Finding, Layout, Mode, PodSpec, Role, RuleDoc, StatefulSet } from './model.ts';
import type { Pin } from './profiles/index.ts';
import type { KafkaVersion } from './profiles/profile.ts';
import type { Shape } from './shape.ts';
import { append, at, elementKey, equal, pointer, put, type Json, type Path } from './tree.ts';

/** What a rule is told of the workload. Everything is vanilla: earlier rules' writes show only in `value`. */
export interface Facts {
  /** The vanilla object, API defaults left out. */
  set: StatefulSet;
  /** The object as it was given. */
  workload: StatefulSet;
  pod: PodSpec;
  container: Container;
  containerIndex: number;
  /** Path of the broker's container. */
  containerPath: Path;
  configuration: Configuration;
  shape: Shape;
  start: Start;
  layout: Layout;
  /** The layout's, for short. */
  role: Role;
  namespace: string;
  mode: Mode;
  /** The stored object, on UPDATE. */
  old?: StatefulSet | undefined;
  /** The stored object's serviceName as its author wrote it. */
  oldServiceName?: string | undefined;
  siblings?: readonly StatefulSet[] | undefined;
  /** The record of what was there before could not be read. */
  recordLost: boolean;
  kafkaVersion?: KafkaVersion | undefined;
  /** The profile and version that the set is hardened by. */
  pin: Pin;
}

/** How a setting reaches the broker; see `launcher/launch.sh`. */
export type Operator = '=' | '?=' | '>=' | '+=';

/** The roles that a start can have in the end. */
export type KnownRole = Exclude<Role, 'unseen'>;

/** Roles whose pods serve clients. */
export const serving: readonly KnownRole[] = ['combined', 'broker', 'zookeeper'];
/** Roles of a cluster in KRaft mode. */
export const kraft: readonly KnownRole[] = ['combined', 'broker', 'controller'];

/** What rules write on. */
export interface Draft extends Facts {
  /** The value that stands at a place now. */
  value(path: Path): Json | undefined;
  /** Writes a place. */
  put(path: Path, value: Json): void;
  /** Adds elements that a list of named elements has not yet, behind the others; makes the list where there is none. */
  append(list: Path, elements: readonly Json[]): void;
  /** Writes a place that has no value yet. */
  complete(path: Path, value: Json): void;
  /** A Kafka property for the launcher; `roles`: only for those. */
  setting(property: string, operator: Operator, value: string | number, roles?: readonly KnownRole[]): void;
  /** A Kafka property that must not be set. */
  without(property: string, roles?: readonly KnownRole[]): void;
  /** Something that is only said; refused in `strict` where asked. */
  report: (finding: Said & { strict?: 'refuse' }) => void;
  /** An explicit value of the manifest's that is replaced (`harden`) or refused (`strict`). */
  unsafe(finding: Said): void;
}

/** A finding as a rule words it; severity and remedy default to the rule's own. */
export interface Said {
  path: string;
  message: string;
  remedy?: string;
  severity?: Finding['severity'];
}

/** A rule: a fact, its reason, its check and its repair. One file each; the id is the file's name. */
export interface Rule extends RuleDoc {
  /** First profile version that has it. */
  since: number;
  apply?(draft: Draft): void;
}

export const podPath: Path = ['spec', 'template', 'spec'];
export const pointerTo = (container: number, rest: string) =>
  `/spec/template/spec/containers/${container}${rest}`;

/** What a run of the rules produced. */
export interface Result {
  hardened: Json;
  settings: string[];
  findings: Finding[];
  /** What was written, in order. */
  writes: { path: Path; rule: string }[];
}

/** Runs rules in their order over the vanilla object, which stays as it is. */
export function runRules(rules: readonly Rule[], facts: Facts): Result {
  const hardened = facts.set as unknown as Json;
  const result: Result = { hardened, settings: [], findings: [], writes: [] };
  for (const rule of rules) {
    if (rule.since > facts.pin.generation) continue;
    rule.apply?.(draftFor(rule, facts, result));
  }
  return result;
}

function draftFor(rule: Rule, facts: Facts, result: Result): Draft {
  const { settings, findings, writes } = result;
  const say = (said: Said, action: Finding['action']) => {
    const { path, message, remedy = rule.remedy, severity = rule.severity } = said;
    findings.push({ rule: rule.id, severity, path, message, remedy, action });
  };
  const write = (path: Path, value: Json) => {
    if (equal(at(result.hardened, path), value)) return;
    writes.push({ path, rule: rule.id });
    result.hardened = put(result.hardened, path, value);
  };
  return {
    ...facts,
    value: (path) => at(result.hardened, path),
    put: write,
    append: (list, elements) => {
      for (const element of elements)
        writes.push({ path: [...list, `[${elementKey(element)}]`], rule: rule.id });
      result.hardened = append(result.hardened, list, elements);
    },
    complete: (path, value) => {
      if (at(result.hardened, path) === undefined) write(path, value);
    },
    setting: (property, operator, value, roles) => {
      const guard = guardOf(facts.role, roles);
      if (guard !== undefined) settings.push(`${guard}${property}${operator}${value}`);
    },
    without: (property, roles) => {
      const guard = guardOf(facts.role, roles);
      if (guard !== undefined) settings.push(`${guard}!${property}`);
    },
    report: ({ strict, ...said }) =>
      say(said, strict === 'refuse' && facts.mode === 'strict' ? 'refused' : 'reported'),
    unsafe: (said) => say(said, facts.mode === 'strict' ? 'refused' : 'fixed'),
  };
}

/** What the start may still turn out to be. */
const undecided: readonly KnownRole[] = ['combined', 'zookeeper'];

/** What stands before a setting that holds for some roles only: nothing where the role is known; undefined where it never holds. */
function guardOf(role: Role, roles: readonly KnownRole[] | undefined): string | undefined {
  if (roles === undefined) return '';
  if (role !== 'unseen') return roles.includes(role) ? '' : undefined;
  const possible = undecided.filter((r) => roles.includes(r));
  if (possible.length === undecided.length) return '';
  return possible.length === 0 ? undefined : `@${possible.join(',')} `;
}

/** Where a path lies in the vanilla object, as a JSON pointer. */
export const pointerIn = (facts: Facts, path: Path) => pointer(facts.set as unknown as Json, path);
