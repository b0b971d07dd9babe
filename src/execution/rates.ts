import {
  type Copy,
  type Limits,
  type Notice,
  type Rate,
  type Seen,
  type Throttle,
  without,
} from './model.ts';

/** A rate below what producers write never catches up; this much above it does in a reasonable time. */
const headroom = { least: 1.1, raisedTo: 1.5 };
const slower = 0.5;
const faster = 1.25;
/** Writes that take longer count as this long. */
const longestKnownMs = 2_000;

const within = ({ floorBytesPerSecond, ceilingBytesPerSecond }: Throttle, rate: number): number =>
  Math.min(ceilingBytesPerSecond, Math.max(floorBytesPerSecond, rate));

export const firstRate = ({ floorBytesPerSecond }: Throttle, nowMs: number): Rate => ({
  bytesPerSecond: floorBytesPerSecond,
  changedAtMs: nowMs,
});

/**
 * Halved while replicas fall out of sync or producers wait too long, raised by a quarter while all is well. Not more often
 * than `adaptEveryMs`: each change is a change of every broker's configuration, upon which it reads its keystores again.
 */
export function adapted(
  rate: Rate,
  throttle: Throttle,
  seen: Seen,
  { adaptEveryMs, producersWait }: { readonly adaptEveryMs: number; readonly producersWait: boolean },
): Rate {
  const troubled = seen.belowMinIsr.length > 0 || seen.outOfSync > 0 || producersWait;
  const bytesPerSecond = within(throttle, rate.bytesPerSecond * (troubled ? slower : faster));
  const soon = seen.nowMs - rate.changedAtMs < adaptEveryMs;
  return soon || bytesPerSecond === rate.bytesPerSecond ? rate : { bytesPerSecond, changedAtMs: seen.nowMs };
}

/**
 * The notice that writes take too long: as long as the limit, and several times as long as before the plan. A cluster that
 * was slow all along would otherwise be balanced at the floor for something that is not the plan's doing.
 */
export function slowWrites(
  { produceLatency }: Seen,
  { produceLatencyLimitMs, produceLatencyTimes = 1 }: Limits,
  beforeMs: number | undefined,
): Notice | undefined {
  if (produceLatency === undefined || produceLatencyLimitMs === undefined) return undefined;
  const { broker, ms } = produceLatency;
  const limitMs = Math.min(
    longestKnownMs,
    Math.max(produceLatencyLimitMs, produceLatencyTimes * (beforeMs ?? 0)),
  );
  if (ms < limitMs) return undefined;
  const before = beforeMs === undefined ? '' : `, ${Math.round(beforeMs)} ms before the plan`;
  const message = `writes to broker ${broker} take ${Math.round(ms)} ms until all in-sync replicas have them${before}: copies are slowed down, at most to the floor, until it is less than ${Math.round(limitMs)} ms`;
  return { code: 'producers-wait', message };
}

/** The busiest broker by what producers write to the partitions that are copied into it, or out of it as leader. */
export function incoming(
  copies: readonly Copy[],
  seen: Seen,
  keyOfMove: (move: number) => string,
): { readonly broker: number; readonly bytesPerSecond: number } | undefined {
  const into = new Map<number, number>();
  const outOf = new Map<number, number>();
  for (const copy of copies) {
    if (copy.state !== 'submitted' && copy.state !== 'queued') continue;
    const rate = seen.writeRates?.get(keyOfMove(copy.move)) ?? 0;
    const added = without(copy.target, copy.before);
    for (const broker of added) into.set(broker, (into.get(broker) ?? 0) + rate);
    outOf.set(copy.source, (outOf.get(copy.source) ?? 0) + rate * added.length);
  }
  const all = [...into, ...outOf].map(([broker, bytesPerSecond]) => ({ broker, bytesPerSecond }));
  return all.reduce<(typeof all)[number] | undefined>(
    (most, one) => (one.bytesPerSecond > (most?.bytesPerSecond ?? 0) ? one : most),
    undefined,
  );
}

/** Raises a rate that cannot catch up, and says so where the ceiling does not allow it. */
export function aboveIncoming(
  rate: Rate,
  throttle: Throttle,
  busiest: ReturnType<typeof incoming>,
  nowMs: number,
): { readonly rate: Rate; readonly notice?: Notice } {
  if (busiest === undefined || rate.bytesPerSecond >= busiest.bytesPerSecond * headroom.least)
    return { rate };
  const raised = within(throttle, busiest.bytesPerSecond * headroom.raisedTo);
  const now = raised > rate.bytesPerSecond ? { bytesPerSecond: raised, changedAtMs: nowMs } : rate;
  if (raised >= busiest.bytesPerSecond * headroom.least) return { rate: now };
  const message = `producers write ${mb(busiest.bytesPerSecond)} to the partitions that are copied over broker ${busiest.broker} and the throttle lets ${mb(raised)} pass: these copies do not complete. Raise throttle.ceiling, or lower the concurrency`;
  return { rate: now, notice: { code: 'throttle-below-incoming', message } };
}

const mb = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB/s`;
