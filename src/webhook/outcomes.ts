import { harden } from '../hardening/index.ts';
import type { Mode, Outcome, StatefulSet } from '../hardening/model.ts';
import { jsonEqual } from './json-equal.ts';
import type { Neighbourhood } from './neighbours.ts';

/** What a review needs of a hardening outcome. */
export type Judgement = Pick<Outcome, 'decision' | 'patch' | 'findings'>;

export interface Question {
  workload: StatefulSet;
  old: StatefulSet | undefined;
  namespace: string;
  /** Of a set that is being created, as far as it is known. */
  neighbourhood?: Neighbourhood;
}

export type Judge = (question: Question) => Judgement;

/** A set without what no rule reads: it changes with every write, also with those that change nothing else. */
interface Meaning {
  metadata: object;
  rest: object;
}

interface Known {
  workload: Meaning;
  /** undefined for a CREATE; the same object as `workload` where nothing changed. */
  old: Meaning | undefined;
  neighbourhood: Neighbourhood;
  judgement: Judgement;
}

type Asked = Omit<Known, 'judgement'>;

/** How many outcomes are remembered, of all sets and of one. One write of a set asks about two or three states of it. */
export const memory = { sets: 64, statesOfOne: 4 };

function meaningOf(set: StatefulSet): Meaning {
  const { status: _status, metadata = {}, ...rest } = set;
  const { managedFields: _fields, resourceVersion: _version, generation: _generation, ...kept } = metadata;
  return { metadata: kept, rest };
}

const sameMeaning = (a: Meaning | undefined, b: Meaning | undefined): boolean =>
  a === b ||
  (a !== undefined && b !== undefined && jsonEqual(a.metadata, b.metadata) && jsonEqual(a.rest, b.rest));

/** Where nothing changed, `old` becomes `workload`, so that both are compared, and kept, once. */
function asked({ workload, old, neighbourhood = {} }: Question): Asked {
  const now = meaningOf(workload);
  const before = old && meaningOf(old);
  return { workload: now, old: sameMeaning(now, before) ? now : before, neighbourhood };
}

/** Whether this is the question that was answered. */
function isAnswered(known: Known, question: Asked): boolean {
  const unchanged = question.old === question.workload;
  if (unchanged !== (known.old === known.workload) || !sameMeaning(known.workload, question.workload))
    return false;
  if (!jsonEqual(known.neighbourhood, question.neighbourhood)) return false;
  return unchanged || sameMeaning(known.old, question.old);
}

/**
 * Runs the core, and remembers the last outcomes of the last sets. The core is a pure function, and one state of a set is
 * judged many times: by mutation, reinvocation and validation of each write, and whenever a controller writes it again.
 * A remembered outcome answers only a question that is equal in everything that a rule can read.
 */
export function judgeWith(mode: Mode, core: typeof harden = harden): Judge {
  const sets = new Map<string, Known[]>();
  return (question) => {
    const { workload, old, namespace } = question;
    const key = `${namespace}/${workload.metadata?.name ?? ''}`;
    const meaning = asked(question);
    const states = sets.get(key) ?? [];
    const known = states.find((state) => isAnswered(state, meaning));
    if (known) return known.judgement;
    const { decision, patch, findings } = core(workload, { ...meaning.neighbourhood, namespace, mode, old });
    const judgement = { decision, patch, findings };
    sets.delete(key);
    sets.set(key, [{ ...meaning, judgement }, ...states].slice(0, memory.statesOfOne));
    if (sets.size > memory.sets) sets.delete(sets.keys().next().value ?? '');
    return judgement;
  };
}
