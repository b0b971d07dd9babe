import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { getPriority } from 'node:os';
import { type TestContext, test } from 'node:test';
import { Worker } from 'node:worker_threads';
import type { PartitionFacts } from '../../gate/index.ts';
import { viewBytes } from '../../kafka/test/view-bytes.ts';
import { Digester, type DigesterOptions, type ViewKafka } from './digester.ts';

const partitions: PartitionFacts[] = Array.from({ length: 600 }, (_, i) => ({
  ...{ topic: `topic-${i % 40}`, partition: Math.floor(i / 40), leader: i % 3 },
  ...{ replicas: [i % 3, (i + 1) % 3, (i + 2) % 3], isr: i === 7 ? [0, 1] : [0, 1, 2] },
}));
const broker = (id: number) => ({ id, host: `kafka-${id}`, port: 9091, rack: undefined, fenced: false });
const brokers = [0, 1, 2].map(broker);
const asked = { brokers, eligibleLeaders: false };

class Kafka implements ViewKafka {
  told = partitions;
  readonly away = new Set<string>();
  viewOf: ViewKafka['viewOf'] = async ({ host }) => {
    if (this.away.has(host)) throw new Error('away');
    return viewBytes({ controllerId: 0, serving: [0, 1, 2], partitions: this.told });
  };
}

function given(t: TestContext, options: Partial<DigesterOptions> = {}) {
  const lost: string[] = [];
  const log = { warn: (_fields: object, message: string) => void lost.push(message) };
  const all = { log, inlineBytes: 0, pauseMs: { first: 150, longest: 300 }, ...options };
  const digester = new Digester(all);
  t.after(() => digester.close());
  const kafka = new Kafka();
  const read = async (readAtMs: number, by = digester) => {
    await by.fetch(kafka, asked);
    const digest = await by.digest(readAtMs);
    const mins = new Int32Array(digest.topics.length).fill(2);
    return { digest, scans: await by.scan({ mins, stableMs: 45_000, allStable: false }) };
  };
  return { digester, kafka, lost, read };
}

const notLinux = process.platform !== 'linux' && 'threads have a priority of their own on Linux only';

/** Of one thread; one that has just ended has none. */
function priorityOf(id: string): number {
  try {
    return getPriority(Number(id));
  } catch {
    return NaN;
  }
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

test('a thread digests and scans as the caller would, from one read to the next', async (t) => {
  const { read, kafka } = given(t);
  const here = given(t, { inlineBytes: 1_000_000, patienceMs: 0 });
  here.kafka.told = kafka.told;
  for (const atMs of [1_000, 31_000, 50_000]) assert.deepEqual(await read(atMs), await here.read(atMs));
  const { digest, scans } = await read(60_000);
  assert.equal(digest.topics.length, 40);
  assert.deepEqual([...digest.lagging.broker], [2]);
  assert.equal(scans.get(1)?.unstable.count, 0, 'as it was at 1 s');
  assert.deepEqual(here.lost, [], 'small reads need no thread');
});

test('the thread gives way to whatever else the process does', { skip: notLinux }, async (t) => {
  const usual = getPriority();
  const below = () => readdirSync('/proc/self/task').filter((id) => priorityOf(id) > usual);
  const before = below();
  const { read } = given(t);
  await read(1_000);
  assert.equal(below().filter((id) => !before.includes(id)).length, 1);
});

test('topics that have come or gone are known by the next read', async (t) => {
  const { read, kafka } = given(t);
  assert.equal((await read(1_000)).digest.topics.length, 40);
  kafka.told = partitions.filter(({ topic }) => topic !== 'topic-3');
  assert.equal((await read(2_000)).digest.topics.length, 39);
  assert.equal((await read(3_000)).digest.topics.length, 39);
  kafka.told = [...kafka.told, { ...partitions[0]!, topic: 'new' }];
  assert.ok((await read(4_000)).digest.topics.includes('new'));
});

test('a broker that does not answer has no view', async (t) => {
  const { digester, kafka, read } = given(t);
  kafka.away.add('kafka-1');
  assert.deepEqual(await digester.fetch(kafka, asked), [0, 2]);
  const { digest } = await read(1_000);
  assert.deepEqual(
    digest.views.map(({ broker: id }) => id),
    [0, 2],
  );
});

test('the death of the thread fails the read; it is started again after a pause that grows', async (t) => {
  const { read, lost } = given(t);
  const terminate = t.mock.method(Worker.prototype, 'postMessage', function (this: Worker) {
    void this.terminate();
  });
  await assert.rejects(read(1_000), /thread that reads the brokers’ answers ended with code/);
  await assert.rejects(read(1_000), /has died and is started again in 1 s/);
  await pause(160);
  await assert.rejects(read(1_000), /ended with code/);
  await pause(160);
  await assert.rejects(read(1_000), /is started again/, 'the second pause is longer');
  terminate.mock.restore();
  await pause(160);
  assert.equal((await read(1_000)).digest.views.length, 3);
  assert.equal(lost.length, 2);
});

test('after the death of the thread no ISR counts as stable before it was seen for long enough again', async (t) => {
  const { read } = given(t, { pauseMs: { first: 0, longest: 0 } });
  await read(1_000);
  assert.equal((await read(50_000)).scans.get(1)?.unstable.count, 0);
  const terminate = t.mock.method(Worker.prototype, 'postMessage', function (this: Worker) {
    void this.terminate();
  });
  await assert.rejects(read(51_000), /ended with code/);
  terminate.mock.restore();
  assert.equal((await read(52_000)).scans.get(1)?.unstable.count, 599);
});

test('a thread that hangs is ended', async (t) => {
  const { read } = given(t, { patienceMs: 100 });
  t.mock.method(Worker.prototype, 'postMessage', () => undefined);
  await assert.rejects(read(1_000), /took more than 100 ms/);
});

test('what is asked of a digester that is closed fails', async (t) => {
  const { digester, read } = given(t);
  const refused = assert.rejects(read(1_000), /was ended/);
  await pause(0);
  await digester.close();
  await refused;
  await assert.rejects(read(1_000), /Nothing more is read/);
});
