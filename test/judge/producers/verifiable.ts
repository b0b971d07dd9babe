/** Kafka's own `VerifiableProducer`: how it is started, and what its output says. */
import type { Rejection, Tally } from './tally.ts';

export interface VerifiableLoad {
  readonly topic: string;
  readonly partitions: number;
  readonly bootstrap: string;
  /** File with the producer's configuration. */
  readonly properties: string;
}

/**
 * Properties beside those of the connection. The tool itself turns retries off, which is no client that anybody runs: with retries and
 * idempotence it is the client as it comes.
 */
export const producerProperties = 'enable.idempotence=true\nretries=2147483647\nacks=all\n';

/**
 * Arguments of the tool: keys that come round, three for each partition, so that nearly every partition has a message every 1.5 s; values
 * `1.NUMBER`, which no other producer writes.
 */
export const verifiableArguments = ({
  topic,
  partitions,
  bootstrap,
  properties,
}: VerifiableLoad): string[] => [
  ...['--bootstrap-server', bootstrap, '--topic', topic, '--producer.config', properties],
  ...['--throughput', String(2 * partitions), '--repeating-keys', String(3 * partitions)],
  ...['--value-prefix', '1'],
];

interface Line {
  readonly timestamp: number;
  readonly name: string;
  readonly value?: string;
  readonly partition?: number;
  readonly message?: string;
  readonly exception?: string;
  readonly sent?: number;
}

/** The longest time without an acknowledgement of each partition that had one, to the end of the run. */
function longestGap(acknowledgedMs: ReadonlyMap<number, readonly number[]>, endMs: number) {
  const longest = { ms: 0, partition: 0, atMs: 0 };
  for (const [partition, times] of acknowledgedMs)
    for (const [index, atMs] of times.entries()) {
      const ms = (times[index + 1] ?? endMs) - atMs;
      if (ms > longest.ms) Object.assign(longest, { ms, partition, atMs });
    }
  return longest;
}

/** Makes the tally from the tool's standard output. Throws where the tool did not end by itself: it might not have said all. */
export function tallyOf(output: string): Tally {
  const acknowledged: string[] = [];
  const rejected: Rejection[] = [];
  const acknowledgedMs = new Map<number, number[]>();
  let sent: number | undefined;
  let endMs: number | undefined;
  for (const text of output.split('\n')) {
    if (!text.startsWith('{')) continue;
    const line = JSON.parse(text) as Line;
    const { value = '', partition = -1 } = line;
    if (line.name === 'producer_send_success') {
      acknowledged.push(value);
      const times = acknowledgedMs.get(partition) ?? [];
      times.push(line.timestamp);
      acknowledgedMs.set(partition, times);
    } else if (line.name === 'producer_send_error')
      rejected.push({ value, reason: line.message ?? line.exception ?? 'no reason given' });
    else if (line.name === 'shutdown_complete') endMs = line.timestamp;
    else if (line.name === 'tool_data') sent = line.sent;
  }
  if (endMs === undefined || sent === undefined)
    throw new Error(
      `VerifiableProducer did not end by itself after ${acknowledged.length} acknowledgements: its last words are missing.`,
    );
  const gap = longestGap(acknowledgedMs, endMs);
  return { client: 'java', sent, acknowledged, rejected, longestGapMs: gap.ms, longestGapAt: gap };
}
