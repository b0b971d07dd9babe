import { type Policy, type Prepared, type Why, budgetOf, eventText } from '../../gate/index.ts';

/** What the disruption budget should say, and since when that is known. */
export interface Mirrored {
  readonly maxUnavailable: 0 | 1;
  /** For people; constant for each reason. */
  readonly why: string;
  readonly atMs: number;
}

/** A verdict of a read that is older than two pauses of the idle polling is no reason to keep the budget open. */
const believedMs = 90_000;

/** The verdicts on all pods as one budget, judged at the moment at which Kafka was read. */
export function mirrorOf(prepared: Prepared, readAtMs: number, policy: Policy): Mirrored {
  const { maxUnavailable, because } = budgetOf(prepared, readAtMs, policy);
  if (maxUnavailable === 1)
    return { maxUnavailable, why: 'Every broker and controller could go alone.', atMs: readAtMs };
  const [first] = because;
  const reason: Why | undefined = first?.kind === 'deny' ? first.reasons[0]?.why : undefined;
  const told = reason === undefined ? 'A pod is on its way.' : eventText[reason];
  return { maxUnavailable, why: told, atMs: readAtMs };
}

/**
 * What the budget rests at: what was mirrored, and 0 where nobody can say whether replicas are in sync, or one that could be asked
 * (`silent`) does not answer any more.
 */
export function restsAt(
  mirrored: Mirrored | undefined,
  { nowMs, problem, silent }: { nowMs: number; problem: string | undefined; silent: boolean },
): Pick<Mirrored, 'maxUnavailable' | 'why'> {
  if (mirrored === undefined)
    return { maxUnavailable: 0, why: 'The brokers have not been asked yet whether all are in sync.' };
  if (problem !== undefined || nowMs - mirrored.atMs > believedMs)
    return { maxUnavailable: 0, why: 'The brokers cannot be asked whether all are in sync.' };
  return silent ? { maxUnavailable: 0, why: eventText['not-alive'] } : mirrored;
}
