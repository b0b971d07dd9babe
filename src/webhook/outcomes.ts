import { hash } from 'node:crypto';
import { harden } from '../hardening/index.ts';
import type { Mode, Outcome, StatefulSet } from '../hardening/model.ts';

/** What a review needs of a hardening outcome; small enough to be kept. */
export type Judgement = Pick<Outcome, 'decision' | 'patch' | 'findings'>;

export interface Question {
  workload: StatefulSet;
  old: StatefulSet | undefined;
  namespace: string;
}

export type Judge = (question: Question) => Judgement;

/** What no rule reads: it changes with every write, also with those that change nothing else. */
function meaning(set: StatefulSet): string {
  const { status: _status, metadata, ...rest } = set;
  const {
    managedFields: _fields,
    resourceVersion: _version,
    generation: _generation,
    ...kept
  } = metadata ?? {};
  return JSON.stringify([kept, rest]);
}

/**
 * Runs the core, and remembers the last outcomes by the digest of what went in: the core is a pure function, and
 * each object is judged several times (mutation, reinvocation, validation, and whenever a controller writes it again).
 */
export function judgeWith(mode: Mode, remembered = 256, core: typeof harden = harden): Judge {
  const known = new Map<string, Judgement>();
  return ({ workload, old, namespace }) => {
    const text = meaning(workload);
    const oldText = old === undefined ? '' : meaning(old);
    const digest = hash('sha256', oldText === text ? `=${text}` : `${oldText}\n${text}`, 'base64');
    const key = `${namespace}/${digest}`;
    const found = known.get(key);
    if (found) {
      known.delete(key);
      known.set(key, found);
      return found;
    }
    const { decision, patch, findings } = core(workload, { namespace, mode, old });
    const judgement = { decision, patch, findings };
    known.set(key, judgement);
    if (known.size > remembered) known.delete(known.keys().next().value ?? '');
    return judgement;
  };
}
