import type { Dip, Interval } from './metadata-log.ts';

/** Dips of one kind that overlap. */
export interface Episode extends Interval {
  readonly kind: Dip['kind'];
  readonly partitions: number;
}

/** Dips put together as a person would tell of them, in the order of their beginnings. */
export function episodesOf(dips: readonly Dip[]): Episode[] {
  const episodes: Episode[] = [];
  for (const kind of ['under-min-isr', 'offline'] as const) {
    let open: (Interval & { names: Set<string> }) | undefined;
    const close = () => {
      if (open === undefined) return;
      const { names, ...interval } = open;
      episodes.push({ kind, partitions: names.size, ...interval });
      open = undefined;
    };
    for (const dip of dips.filter((one) => one.kind === kind).sort((a, b) => a.fromMs - b.fromMs)) {
      if (open !== undefined && dip.fromMs > open.toMs) close();
      open ??= { fromMs: dip.fromMs, toMs: dip.toMs, names: new Set() };
      open.names.add(`${dip.topic}-${dip.partition}`);
      open = { ...open, toMs: Math.max(open.toMs, dip.toMs) };
    }
    close();
  }
  return episodes.sort((a, b) => a.fromMs - b.fromMs);
}

const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;

/** An episode in words; times count from the beginning of the interval. */
export const told = ({ kind, partitions, fromMs, toMs }: Episode, beginMs: number): string =>
  `${partitions} partition${partitions === 1 ? '' : 's'} ${kind === 'offline' ? 'without a leader' : 'under min ISR'} ` +
  `${seconds(fromMs - beginMs)} after it began, for ${seconds(toMs - fromMs)} in all`;
