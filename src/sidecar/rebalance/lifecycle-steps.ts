import { keys } from '../../names.ts';
import type { Phase, RebalanceStatus } from './kafka-rebalance.ts';
import type { Step } from './lifecycle-status.ts';
import type { ProposalRequest, Seen } from './lifecycle-types.ts';
import { settingsKey } from './settings.ts';

/** When to look again at what waits for something else. */
export const retryMs = 30_000;

export const held = ({ rebalance }: Seen): RebalanceStatus => rebalance.status ?? {};

export const asksToStop = ({ rebalance }: Seen): boolean =>
  rebalance.metadata.annotations?.[keys.stop]?.trim() === 'true';

/** What a plan that is searched for now is made from. */
export function requestFor({ rebalance: { metadata, spec } }: Seen): ProposalRequest {
  const refresh = metadata.annotations?.[keys.refresh];
  return { settings: settingsKey(spec), ...(refresh !== undefined && { refresh }) };
}

/** Whether a plan was made from another spec, or before the last `refresh`. Removing the annotation asks for nothing. */
export function outdated(seen: Seen, made: ProposalRequest): 'Refreshed' | 'SpecChanged' | undefined {
  const { settings, refresh } = requestFor(seen);
  if (refresh !== undefined && refresh !== made.refresh) return 'Refreshed';
  return settings === made.settings ? undefined : 'SpecChanged';
}

export const resting = (phase: Phase, reason: string, message: string): Step => ({
  phase,
  reason,
  message,
  action: { do: 'nothing' },
});

/** Searches again, and says why until the new plan is there. */
export function proposing(
  seen: Seen,
  { reason, message }: { reason: string; message: string },
  fields: Step['fields'] = {},
): Step {
  return {
    phase: 'Proposing',
    reason,
    message,
    action: { do: 'propose', request: requestFor(seen) },
    fields: { approval: undefined, ...fields },
  };
}

export const changedText = ({ count, examples }: { count: number; examples: readonly string[] }): string => {
  const shown = examples.slice(0, 3).join('; ');
  return `since the plan before: ${shown}${count > 3 ? ` and ${count - 3} more` : ''}`;
};
