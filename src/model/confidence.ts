import type { Capacity, CapacitySource } from './capacities.ts';
import type { Rate } from './rates.ts';

export type Figure = 'disk' | 'bytesIn' | 'bytesOut' | 'diskCapacity' | 'networkCapacity';

/** How far one kind of figure is known. */
export interface Confidence {
  readonly figure: Figure;
  /** Share of the partitions, or of the brokers for capacities, whose figure was measured or given: 0 to 1. */
  readonly known: number;
  readonly words: string;
}

const share = (part: number, whole: number): number => (whole === 0 ? 1 : part / whole);
/** A whole per cent, and 100 or 0 only where it is all or nothing. */
export const percent = (value: number): string => {
  if (value > 0 && value < 0.01) return '<1%';
  if (value < 1 && value > 0.99) return '>99%';
  return `${Math.round(value * 100)}%`;
};

export function diskConfidence(known: number, partitions: number): Confidence {
  const part = share(known, partitions);
  const rest = part === 1 ? '' : '; the others count as empty';
  return {
    figure: 'disk',
    known: part,
    words: `Sizes from log directories for ${percent(part)} of partitions${rest}`,
  };
}

/** `keys` are of all partitions. */
export function writeConfidence(
  keys: readonly string[],
  rates: ReadonlyMap<string, Rate>,
  seconds: number,
): Confidence {
  if (seconds === 0)
    return { figure: 'bytesIn', known: 0, words: 'Write rates are unknown: they need a second sample' };
  const found = keys.flatMap((key) => rates.get(key) ?? []);
  const grown = found.filter(({ source }) => source === 'growth').length;
  const known = share(found.length, keys.length);
  const parts = [
    `Write rates over ${duration(seconds)} from offsets for ${percent(share(found.length - grown, keys.length))} of partitions`,
    ...(grown === 0 ? [] : [`from the growth of logs for ${percent(share(grown, keys.length))}`]),
    ...(known === 1 ? [] : [`unknown and counted as none for ${percent(1 - known)}`]),
  ];
  return { figure: 'bytesIn', known, words: parts.join(', ') };
}

export function readConfidence(reads: 'off' | 'waiting' | number, write: Confidence): Confidence {
  const replication = 'What leaders send to followers, from the write rates';
  if (write.known === 0)
    return { figure: 'bytesOut', known: 0, words: 'Rates out are unknown: they need a second sample' };
  const words =
    reads === 'off'
      ? `${replication}; what consumers read was not asked for`
      : reads === 'waiting'
        ? `${replication}; what consumers read needs a second sample with committed offsets`
        : `${replication}, and what ${reads} consumer groups read, from their commits: consumers that commit nothing are missed`;
  return { figure: 'bytesOut', known: write.known, words };
}

const phrases: Record<CapacitySource, string> = {
  given: 'given',
  'file-system': 'from file systems',
  assumed: 'taken from the other brokers',
  unlimited: 'unknown, so all count as equal and no limit binds',
};

export function capacityConfidence(
  figure: 'diskCapacity' | 'networkCapacity',
  capacities: readonly Capacity[],
): Confidence {
  const counts = new Map<CapacitySource, number>();
  for (const { source } of capacities) counts.set(source, (counts.get(source) ?? 0) + 1);
  const told = (counts.get('given') ?? 0) + (counts.get('file-system') ?? 0);
  const name = figure === 'diskCapacity' ? 'Disk capacities' : 'Network capacities';
  const parts = [...counts].map(([source, count]) => `${phrases[source]} (${count} of ${capacities.length})`);
  return { figure, known: share(told, capacities.length), words: `${name}: ${parts.join(', ')}` };
}

const duration = (seconds: number): string =>
  seconds < 120 ? `${Math.round(seconds)} s` : `${Math.round(seconds / 60)} min`;
