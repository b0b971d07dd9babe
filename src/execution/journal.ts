import type { Journal, Plan } from './model.ts';

export interface Beginning {
  readonly plan: Plan;
  /** Racks by broker. */
  readonly racks: Readonly<Record<string, string>>;
  readonly nowMs: number;
  /** The journal of an execution that has ended: what it owes to brokers is taken over. */
  readonly previous?: Journal;
}

/** The journal of an execution that is about to start. Throws while another plan is being executed. */
export function begin({ plan, racks, nowMs, previous }: Beginning): Journal {
  if (previous !== undefined && previous.outcome === undefined) {
    throw new Error(`Plan ${previous.plan} is being executed; stop it first`);
  }
  return {
    schema: 1,
    plan: plan.hash,
    startedAtMs: nowMs,
    phase: 'copying',
    racks,
    copies: [],
    refused: {},
    ledger: previous?.ledger ?? [],
  };
}

/** Asks for a stop: what is under way is taken back, nothing new starts. Asking again changes nothing. */
export function requestStop(journal: Journal, nowMs: number): Journal {
  if (journal.stop !== undefined || journal.outcome !== undefined) return journal;
  return { ...journal, stop: { askedAtMs: nowMs, reverted: [], forward: [] } };
}

/** Whether the execution has ended and owes nothing: the journal may be forgotten. */
export const settledFor = (journal: Journal): boolean =>
  journal.outcome !== undefined && journal.ledger.length === 0;

/** Reads a stored journal. Throws where it was written by a later version: guessing could leave throttles behind. */
export function parseJournal(text: string): Journal {
  const journal = JSON.parse(text) as Partial<Journal>;
  if (journal.schema !== 1 || !Array.isArray(journal.copies) || !Array.isArray(journal.ledger)) {
    throw new Error(
      `The stored journal of the execution has schema ${String(journal.schema)} and this version reads 1; run the version that wrote it until the execution has ended`,
    );
  }
  return journal as Journal;
}
