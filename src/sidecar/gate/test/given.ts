import type { TestContext } from 'node:test';
import type { GateOptions } from '../index.ts';
import { FakeKafka } from './fake-kafka.ts';
import { type Surroundings, surroundings } from './surroundings.ts';

interface GivenOptions extends Pick<GateOptions, 'blocked'> {
  /** In-sync replicas have been the same for a minute. */
  readonly stable?: boolean;
  readonly by?: string;
  /** Kafka has been read once. */
  readonly read?: boolean;
}

export interface Given extends Surroundings {
  readonly kafka: FakeKafka;
  /** Moves the clock on and reads Kafka again. */
  later(ms: number): Promise<void>;
}

/** A gate that reads when a test says so: on a clock of its own, with the pauses of the idle polling far away. */
export async function given(
  t: TestContext,
  { stable = true, by = 'sidecar-1', blocked, read = true }: GivenOptions = {},
): Promise<Given> {
  const clock = { ms: 1_700_000_000_000 };
  const kafka = new FakeKafka();
  let wasRead: () => void = () => undefined;
  const around = surroundings({
    kafka,
    by,
    now: () => new Date(clock.ms),
    periods: { idleMs: 3_600_000, quickMs: 20, askedForMs: 1 },
    wake: (duty) => {
      if (duty === 'disruption') wasRead();
    },
    ...(blocked === undefined ? {} : { blocked }),
  });
  const stop = new AbortController();
  t.after(() => stop.abort());
  const once = () => new Promise<void>((resolve) => (wasRead = resolve));
  const later = async (ms: number) => {
    for (let left = ms; left > 0; left -= 30_000) {
      clock.ms += Math.min(left, 30_000);
      const next = once();
      around.gate.look();
      await next;
    }
  };
  if (read) {
    const first = once();
    void around.gate.run(stop.signal);
    await first;
    if (stable) await later(60_000);
  }
  return { ...around, kafka, later };
}

export const step = (around: Surroundings): string | undefined => {
  const { holder } = around.record();
  return holder?.state === 'held' ? `${holder.kind} ${holder.step}` : holder?.state;
};
