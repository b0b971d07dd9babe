import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { Digester } from './digester.ts';
import { EvidenceSource, type Periods, defaultPeriods } from './evidence-source.ts';
import { FakeKafka } from './test/fake-kafka.ts';

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

function given(t: TestContext, periods: Periods, digester?: Digester) {
  const kafka = new FakeKafka();
  let read = Promise.withResolvers<void>();
  const source = new EvidenceSource({
    ...{ kafka, periods, nowMs: Date.now, nodes: () => [0, 1, 2] },
    log: { debug: () => undefined, warn: () => undefined },
    onRead: () => {
      read.resolve();
      read = Promise.withResolvers();
    },
    ...(digester === undefined ? {} : { digester }),
  });
  const stop = new AbortController();
  t.after(() => stop.abort());
  void source.run(stop.signal);
  return { kafka, source, nextRead: () => read.promise };
}

test('Kafka is read every half minute, and at least each second for a minute after a question', () => {
  assert.equal(defaultPeriods.idleMs, 30_000);
  assert.ok(defaultPeriods.quickMs <= 1_000);
  assert.equal(defaultPeriods.askedForMs, 60_000);
});

test('a question has reads follow each other at once, for as long as it counts, and no longer', async (t) => {
  const { kafka, source, nextRead } = given(t, { idleMs: 3_600_000, quickMs: 10, askedForMs: 400 });
  await nextRead();
  await pause(50);
  assert.equal(kafka.reads, 1, 'nobody has asked');
  source.hurry();
  for (let more = 0; more < 4; more++) await nextRead();
  let before = -1;
  while (before !== kafka.reads) {
    before = kafka.reads;
    await pause(500);
  }
});

test('a broker that answers no more is reason to read at once, and so is one that answers again', async (t) => {
  assert.ok((defaultPeriods.pingMs ?? Infinity) <= 2_000);
  const idle = { idleMs: 3_600_000, quickMs: 10, askedForMs: 1, pingMs: 20 };
  const { kafka, source, nextRead } = given(t, idle);
  await nextRead();
  await pause(200);
  assert.equal(kafka.reads, 1, 'nothing has changed');
  const silent = nextRead();
  kafka.silent.add(2);
  await silent;
  while (source.latest?.kafka.pings.get(2)?.tookMs !== undefined) await pause(10);
  const back = nextRead();
  kafka.silent.delete(2);
  await back;
  assert.notEqual(source.latest?.kafka.pings.get(2)?.tookMs, undefined);
});

test('a broker that answers no more is told of though the read that is to look at it hangs', async (t) => {
  const idle = { idleMs: 3_600_000, quickMs: 10, askedForMs: 1, pingMs: 20 };
  const { kafka, source, nextRead } = given(t, idle);
  await nextRead();
  assert.equal(source.silent, false);
  const { apiVersions } = kafka;
  const hangs = Promise.withResolvers<void>();
  kafka.apiVersions = async () => {
    await hangs.promise;
    return apiVersions();
  };
  const told = nextRead();
  kafka.silent.add(2);
  await told;
  assert.equal(source.silent, true);
  assert.notEqual(source.latest?.kafka.pings.get(2)?.tookMs, undefined, 'no read has ended since');
  hangs.resolve();
  while (source.silent) await pause(10);
  assert.equal(source.latest?.kafka.pings.get(2)?.tookMs, undefined);
});

test('one that dies in the middle of a read that hangs is told of as well', async (t) => {
  const busy = { idleMs: 3_600_000, quickMs: 10, askedForMs: 3_600_000, pingMs: 20 };
  const { kafka, source, nextRead } = given(t, busy);
  await nextRead();
  const hangs = Promise.withResolvers<void>();
  const { apiVersions } = kafka;
  let hung = false;
  kafka.apiVersions = async () => {
    hung = true;
    await hangs.promise;
    return apiVersions();
  };
  source.hurry();
  while (!hung) await pause(10);
  const told = nextRead();
  kafka.silent.add(2);
  await told;
  assert.equal(source.silent, true);
  hangs.resolve();
  while (source.silent) await pause(10);
});

test('a broker that pauses for a moment is looked at, and not told of', async (t) => {
  const idle = { idleMs: 3_600_000, quickMs: 10, askedForMs: 1, pingMs: 20 };
  const { kafka, source, nextRead } = given(t, idle);
  await nextRead();
  const { ping } = kafka;
  let left = 1;
  kafka.ping = async (broker) => {
    if (broker.host.startsWith('kafka-2') && left-- > 0) throw new Error('no answer');
    return ping(broker);
  };
  await nextRead();
  await pause(100);
  assert.equal(source.silent, false);
  assert.ok(left <= 0);
});

test('evidence of a thread that dies grows old, is told as such, and comes again', async (t) => {
  const log = { warn: () => undefined };
  const digester = new Digester({ log, inlineBytes: 0, pauseMs: { first: 10, longest: 10 } });
  const { source, nextRead } = given(t, { idleMs: 3_600_000, quickMs: 10, askedForMs: 3_600_000 }, digester);
  await nextRead();
  const before = source.latest;
  assert.ok(before !== undefined);
  const dying = t.mock.method(digester, 'digest', () => Promise.reject(new Error('the thread has died')));
  source.hurry();
  await nextRead();
  while (source.problem === undefined) await nextRead();
  assert.match(source.problem, /the thread has died/);
  assert.equal(source.latest?.atMs, before.atMs, 'nothing new');
  assert.equal(await source.fresh(0, 20), undefined);
  dying.mock.restore();
  while (source.problem !== undefined) await nextRead();
  assert.ok((source.latest?.atMs ?? 0) >= before.atMs);
});
