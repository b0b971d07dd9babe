import type { Context } from '../context.ts';
import { EvidenceSource, type Gathered, type Periods, defaultPeriods } from '../gate/evidence-source.ts';
import type { GateKafka } from '../gate/kafka-reader.ts';
import { nodeIdsOf, servingIds } from '../gate/nodes.ts';
import type { StopEvidence } from './index.ts';

interface OnDemandOptions {
  readonly context: Pick<Context, 'world' | 'now' | 'log'>;
  readonly kafka: GateKafka;
  readonly periods?: Periods;
}

/** Reads as the gate does, but only while somebody asks: for clusters whose gate is off. Ends with the signal. */
export function evidenceOnDemand(options: OnDemandOptions, signal: AbortSignal): StopEvidence {
  const { context, kafka, periods = defaultPeriods } = options;
  let latest: Gathered | undefined;
  const begin = (): EvidenceSource =>
    new EvidenceSource({
      kafka,
      nowMs: () => context.now().getTime(),
      nodes: () => {
        const { sets } = context.world();
        return servingIds(sets, nodeIdsOf(sets, latest?.brokers ?? []));
      },
      onRead: () => (latest = source.latest ?? latest),
      log: context.log,
      periods,
    });
  let source = begin();
  let reading: AbortController | undefined;
  let end: NodeJS.Timeout | undefined;

  function read(): void {
    clearTimeout(end);
    end = setTimeout(() => {
      reading?.abort();
      reading = undefined;
    }, periods.askedForMs).unref();
    if (reading !== undefined || signal.aborted) return;
    reading = new AbortController();
    // One that has ended has let go of its thread, and reads no more.
    source = begin();
    void source.run(AbortSignal.any([signal, reading.signal]));
  }

  return {
    get latest() {
      return source.latest;
    },
    get catchingUp() {
      return source.catchingUp;
    },
    fresh: (maxAgeMs, waitMs) => source.fresh(maxAgeMs, waitMs),
    ping: () => source.ping(),
    hurry: () => {
      read();
      source.hurry(periods.askedForMs);
    },
  };
}
