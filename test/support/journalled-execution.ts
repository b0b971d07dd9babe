import { type Journal, type Move, type Plan, begin, parseJournal } from '../../src/execution/index.ts';
import { type ExecuteOptions, Execution } from '../../src/sidecar/rebalance/execute.ts';

type Given = Pick<ExecuteOptions, 'kafka' | 'limits'> &
  Partial<ExecuteOptions> & {
    readonly racks?: Parameters<typeof begin>[0]['racks'];
    /** Each execution ends after this. */
    readonly timeoutMs: number;
  };

/** Executions of one plan whose journal is kept as the text that a crash would leave: each opened goes on from there. */
export function journalledExecution(moves: readonly Move[], { racks = {}, timeoutMs, ...given }: Given) {
  const plan: Plan = { hash: 'sha', moves };
  let stored = JSON.stringify(begin({ plan, racks, nowMs: Date.now() }));
  const journal = (): Journal => parseJournal(stored);
  const open = (more: Partial<ExecuteOptions> = {}): Execution =>
    new Execution({
      plan,
      journal: journal(),
      signal: AbortSignal.timeout(timeoutMs),
      save: async (written) => void (stored = JSON.stringify(written)),
      ...given,
      ...more,
    });
  return { open, journal };
}
