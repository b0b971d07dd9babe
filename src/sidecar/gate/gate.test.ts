import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type DisruptionRecord, confirm, reserve, take } from '../../gate/record.ts';
import { emptyRecord } from '../../gate/record.ts';
import type { KubeObject } from '../../kubernetes/object.ts';
import { paths } from '../../kubernetes/paths.ts';
import type { KafkaRebalance } from '../rebalance/kafka-rebalance.ts';
import { FakeKafka } from './test/fake-kafka.ts';
import { given, step } from './test/given.ts';
import { type Surroundings, brokerPod, surroundings } from './test/surroundings.ts';

const events = ({ api }: Surroundings): string[] =>
  [...api.objects.values()]
    .filter(({ kind }) => kind === 'Event')
    .map((event) => String((event as KubeObject & { reason?: string }).reason));

const reservedFor = (ordinal: number, by = 'sidecar-1', atMs = 1_700_000_060_000): DisruptionRecord => {
  const subject = {
    pod: `kafka-${ordinal}`,
    podUid: `uid-kafka-${ordinal}-1`,
    broker: ordinal,
    set: 'kafka',
  };
  const outcome = reserve(emptyRecord, { id: `eviction/${subject.podUid}`, by }, subject, atMs);
  assert.ok(outcome.ok);
  return outcome.record;
};

test('an allowed eviction is reserved before it is said, and holds all others', async (t) => {
  const around = await given(t);
  assert.deepEqual(await around.ask(1), { verdict: 'allow' });
  const { holder } = around.record();
  assert.deepEqual(
    [holder?.state, holder?.pod, holder?.podUid, holder?.broker, holder?.set, holder?.by],
    ['reserved', 'kafka-1', 'uid-kafka-1-1', 1, 'kafka', 'sidecar-1'],
  );
  assert.deepEqual(await around.ask(1), { verdict: 'allow' }, 'kubectl asks again for the same pod');
  const other = await around.ask(2);
  assert.equal(other.verdict === 'deny' && other.reason, 'lease-held');
  const told = await around.context.metrics.registry.metrics();
  assert.match(told, /kafka_warden_evictions_total\{verdict="allow",reason="allowed",cluster="shop"\} 2/);
  assert.match(told, /kafka_warden_evictions_total\{verdict="deny",reason="lease-held",cluster="shop"\} 1/);
});

test('of two that are asked at once one may go', async (t) => {
  const around = await given(t);
  around.putRecord(emptyRecord);
  const answers = await Promise.all([around.ask(0), around.ask(1), around.ask(2)]);
  assert.deepEqual(answers.map(({ verdict }) => verdict).sort(), ['allow', 'deny', 'deny']);
});

test('a broker that has stopped since Kafka was read is noticed before the answer', async (t) => {
  const around = await given(t);
  assert.equal((await around.ask(1, { dryRun: true })).verdict, 'allow');
  around.kafka.silent.add(0);
  const answer = await around.ask(1);
  assert.ok(answer.verdict === 'deny');
  assert.match(answer.message, /broker 0 does not answer/);
});

test('a pod that has begun to end while the brokers were asked is noticed before the answer', async (t) => {
  const around = await given(t);
  const { ping } = around.kafka;
  around.kafka.ping = async (broker) => {
    around.setPods([brokerPod(0), brokerPod(1), brokerPod(2, 1, { terminating: true })]);
    return ping(broker);
  };
  const answer = await around.ask(1);
  assert.equal(answer.verdict, 'deny');
  assert.notEqual(around.record().holder?.state, 'reserved');
});

test('an allow is said of the pods that the API server has, whatever a silent watch shows', async (t) => {
  const around = await given(t);
  const known = around.context.world().pods;
  around.setPods([brokerPod(0), brokerPod(1), brokerPod(2, 1, { ready: false })]);
  around.setWorld({ pods: known });
  const answer = await around.ask(1);
  assert.equal(answer.verdict === 'deny' && answer.reason, 'other-away');
  around.api.refuse = ({ method, path }) =>
    method === 'GET' && path === paths.pods('shop') ? { status: 503, body: { message: 'away' } } : undefined;
  assert.equal((await around.ask(1)).verdict, 'deny');
});

test('a dry run is judged, and nothing is written or counted', async (t) => {
  const around = await given(t);
  const before = around.api.objects.size;
  assert.deepEqual(await around.ask(1, { dryRun: true }), { verdict: 'allow' });
  assert.equal(around.api.objects.size, before);
  assert.doesNotMatch(await around.context.metrics.registry.metrics(), /evictions_total\{/);
});

test('a partition that would fall below its minimum is named', async (t) => {
  const around = await given(t);
  around.kafka.lose(2);
  around.kafka.find(2);
  await around.later(60_000);
  const answer = await around.ask(0);
  assert.ok(answer.verdict === 'deny');
  assert.equal(answer.reason, 'below-min-isr');
  assert.match(
    answer.message,
    /^kafka-0 cannot go yet: 3 partitions would fall below .*orders-0: ISR 0,1 of 0,1,2, min 2/,
  );
});

test('before the first read, and while Kafka is away, the answer says so', async (t) => {
  const around = await given(t);
  around.kafka.away = true;
  await around.later(30_000);
  const answer = await around.ask(1);
  assert.ok(answer.verdict === 'deny');
  assert.equal(answer.reason, 'kafka-away');
  assert.match(answer.message, /No broker answered/);
  assert.equal(around.gate.budget().maxUnavailable, 0);
  const unread = surroundings({ kafka: new FakeKafka() });
  const first = await unread.ask(1);
  assert.equal(first.verdict === 'deny' && first.reason, 'checking');
});

test('pods that hold nothing up pass, whatever is known', async () => {
  const around = surroundings({ kafka: new FakeKafka() });
  around.setPods([
    brokerPod(0, 1, { terminating: true }),
    brokerPod(1, 1, { phase: 'Failed' }),
    brokerPod(2, 1, { phase: 'Pending' }),
  ]);
  for (const [ordinal, note] of [
    [0, 'terminating'],
    [1, 'finished'],
    [2, 'never-started'],
  ] as const)
    assert.deepEqual(await around.ask(ordinal), { verdict: 'pass', note });
});

test('an override passes, with what it set aside told in an event', async (t) => {
  const around = await given(t);
  around.kafka.lose(2);
  await around.later(30_000);
  const answer = await around.ask(1, { override: 'uid-kafka-1-1' });
  assert.deepEqual(answer, { verdict: 'pass', note: 'override' });
  await new Promise(setImmediate);
  assert.deepEqual(events(around), ['GateOverridden']);
  const other = await around.ask(1, { override: 'uid-kafka-0-1' });
  assert.equal(other.verdict, 'deny');
});

test('a pod that the sidecar has not heard of does not go', async (t) => {
  const around = await given(t);
  const answer = await around.ask(1, { podUid: 'another' });
  assert.equal(answer.verdict === 'deny' && answer.reason, 'pod-unknown');
});

test('with the record damaged or the API server away, nothing goes', async (t) => {
  const around = await given(t);
  around.putRecord('{');
  const damaged = await around.ask(1);
  assert.ok(damaged.verdict === 'deny');
  assert.match(damaged.message, /the disruption record cannot be read/);
  const { conditions } = await around.gate.reconcile();
  assert.equal(conditions[0]?.reason, 'RecordUnreadable');
  around.putRecord(emptyRecord);
  around.api.refuse = ({ method }) =>
    method === 'GET' ? undefined : { status: 503, body: { reason: 'ServiceUnavailable', message: 'away' } };
  const unwritten = await around.ask(1);
  assert.equal(unwritten.verdict === 'deny' && unwritten.reason, 'record-not-written');
  around.api.refuse = () => ({ status: 503, body: { reason: 'ServiceUnavailable', message: 'away' } });
  const away = await around.ask(1);
  assert.ok(away.verdict === 'deny');
  assert.match(away.message, /the API server does not give it/);
});

test('a pod evicted again and again from a node that nobody drains stays', async (t) => {
  const around = await given(t);
  const evictions = [1, 2, 3].map((minute) => ({
    pod: 'kafka-1',
    atMs: 1_700_000_060_000 - minute * 60_000,
  }));
  around.putRecord({ ...emptyRecord, evictions });
  const node = { name: 'node', cordoned: false, taints: [] };
  const looping = await around.ask(1, { node });
  assert.equal(looping.verdict === 'deny' && looping.reason, 'eviction-loop');
  assert.equal((await around.ask(1)).verdict, 'allow', 'a cordoned node is being emptied');
});

test('an eviction is carried back to whole: gone, started, in sync, leading', async (t) => {
  const around = await given(t);
  const { kafka, gate } = around;
  await around.ask(1);
  around.setPods([brokerPod(0), brokerPod(1, 1, { terminating: true }), brokerPod(2)]);
  await gate.reconcile();
  assert.equal(step(around), 'eviction going');
  kafka.lose(1);
  around.setPods([brokerPod(0), brokerPod(2)]);
  await around.later(1_000);
  await gate.reconcile();
  assert.equal(step(around), 'eviction starting');
  around.setPods([brokerPod(0), brokerPod(1, 2), brokerPod(2)]);
  kafka.find(1);
  await around.later(1_000);
  await gate.reconcile();
  await around.later(1_000);
  const syncing = await gate.reconcile();
  assert.equal(step(around), 'eviction syncing');
  assert.equal(syncing.facts?.disruption?.waitingFor, 'all replicas of kafka-1 to be in sync');
  kafka.catchUp(1);
  await around.later(1_000);
  await gate.reconcile();
  assert.equal(step(around), 'eviction leaders');
  await around.later(1_000);
  await gate.reconcile();
  assert.deepEqual(kafka.elected, [1]);
  await around.later(1_000);
  const { conditions, facts } = await gate.reconcile();
  assert.equal(around.record().holder, undefined);
  assert.deepEqual([conditions[0]?.status, facts?.disruption], ['False', undefined]);
  assert.equal(around.record().evictions.length, 1);
  const deleted = [...around.api.objects.keys()].filter((path) => path.startsWith(paths.pods('shop')));
  assert.equal(deleted.length, 3, 'no pod was deleted by the gate');
});

test('leaders that cannot be elected are tried at growing pauses, then nothing waits for them, and that is told', async (t) => {
  const around = await given(t);
  const { kafka, gate } = around;
  await around.ask(1);
  around.setPods([brokerPod(0), brokerPod(1, 1, { terminating: true }), brokerPod(2)]);
  await gate.reconcile();
  kafka.lose(1);
  around.setPods([brokerPod(0), brokerPod(2)]);
  await around.later(1_000);
  await gate.reconcile();
  kafka.electionRefused = 'PREFERRED_LEADER_NOT_AVAILABLE';
  around.setPods([brokerPod(0), brokerPod(1, 2), brokerPod(2)]);
  kafka.find(1);
  kafka.catchUp(1);
  const tried: number[] = [];
  let seconds = 0;
  for (; seconds < 300 && around.record().holder !== undefined; seconds++) {
    const before = kafka.elected.length;
    await around.later(1_000);
    await gate.reconcile();
    if (kafka.elected.length > before) tried.push(seconds);
  }
  const pauses = tried.slice(1).map((at, index) => at - tried[index]!);
  assert.deepEqual(pauses.slice(0, 6), [1, 2, 4, 8, 15, 15]);
  assert.ok(seconds > 115 && seconds < 130, `after ${seconds} s`);
  assert.deepEqual(events(around), ['LeadersElsewhere']);
});

test('a reservation lapses when its pod is seen alive after its time, as the API server has it', async (t) => {
  const around = await given(t);
  await around.ask(1);
  await around.later(14_000);
  await around.gate.reconcile();
  assert.equal(step(around), 'reserved');
  await around.later(2_000);
  around.api.put(paths.pods('shop', 'kafka-1'), brokerPod(1, 1, { terminating: true }));
  await around.gate.reconcile();
  assert.equal(step(around), 'eviction going', 'the informer was behind');
  around.putRecord(reservedFor(1));
  around.api.put(paths.pods('shop', 'kafka-1'), brokerPod(1));
  await around.gate.reconcile();
  assert.equal(around.record().holder, undefined);
});

test('a restarted sidecar goes on where another one stood', async (t) => {
  const around = await given(t, { by: 'sidecar-2' });
  const reserved = reservedFor(1);
  const confirmed = confirm(
    reserved,
    { id: 'eviction/uid-kafka-1-1', by: 'sidecar-1' },
    'uid-kafka-1-1',
    1_700_000_060_000,
  );
  assert.ok(confirmed.ok);
  around.putRecord(confirmed.record);
  around.setPods([brokerPod(0), brokerPod(2)]);
  await around.gate.reconcile();
  assert.equal(step(around), 'eviction starting');
  assert.equal(around.record().holder?.by, 'sidecar-2');
});

test('a broker that goes without being asked takes the record, and is told of', async (t) => {
  const around = await given(t);
  around.setPods([brokerPod(0), brokerPod(1), brokerPod(2, 1, { terminating: true })]);
  const { conditions, facts } = await around.gate.reconcile();
  assert.equal(step(around), 'loss away');
  assert.equal(conditions[0]?.reason, 'Loss');
  assert.deepEqual(
    [facts?.disruption?.kind, facts?.disruption?.pod, facts?.disruption?.step],
    ['loss', 'kafka-2', 'away'],
  );
  assert.deepEqual(events(around), ['BrokerLost']);
  assert.equal(around.gate.budget().maxUnavailable, 0);
});

for (const comesBack of [true, false])
  test(`a lost broker that ${comesBack ? 'is back' : 'stays away'} and is scaled away holds up no scale-in`, async (t) => {
    const around = await given(t);
    const { kafka, gate } = around;
    const pass = async () => {
      await around.later(1_000);
      await gate.reconcile();
    };
    await pass();
    kafka.lose(2);
    around.setPods([brokerPod(0), brokerPod(1), brokerPod(2, 1, { ready: false, runs: false })]);
    await pass();
    assert.equal(step(around), 'loss starting');
    if (comesBack) {
      kafka.find(2);
      around.setPods([brokerPod(0), brokerPod(1), brokerPod(2)]);
      await pass();
      assert.equal(step(around), 'loss syncing');
    }
    around.setWorld({ sets: [{ ...around.set, replicas: 2 }] });
    await pass();
    assert.equal(around.record().holder, undefined);
    await pass();
    assert.equal(around.record().holder, undefined, 'nothing is lost that is not asked for');
    around.setWorld({ sets: [around.set] });
    await pass();
    assert.equal(step(around), comesBack ? undefined : 'loss starting', 'wanted again, it counts again');
  });

test('a broker that starts is no loss, though Kafka was read when it was still fenced', async (t) => {
  const around = await given(t);
  const { kafka, gate } = around;
  around.setPods([brokerPod(0), brokerPod(1), brokerPod(2, 2, { ready: false })]);
  kafka.lose(2);
  await around.later(1_000);
  await gate.reconcile();
  assert.equal(around.record().holder, undefined, 'it was never ready');
  around.setPods([brokerPod(0), brokerPod(1), brokerPod(2, 2)]);
  await gate.reconcile();
  assert.equal(around.record().holder, undefined, 'what was read is older than that');
  await around.later(1_000);
  await gate.reconcile();
  assert.equal(step(around), 'loss syncing', 'still fenced when it should serve');
});

test('a rebalance that holds the record is left alone, and names itself and the way out', async (t) => {
  const around = await given(t);
  const taken = take(emptyRecord, { id: 'nightly', by: 'sidecar-0' }, { kind: 'rebalance', journal: {} }, 1);
  assert.ok(taken.ok);
  around.putRecord(taken.record);
  const rebalance = {
    metadata: { name: 'nightly', uid: 'u' },
    spec: { cluster: 'shop' },
    status: { progress: { bytesMoved: 25, bytesTotal: 100 } },
  } as unknown as KafkaRebalance;
  around.setWorld({ rebalances: [rebalance] });
  around.setPods([brokerPod(0), brokerPod(1), brokerPod(2, 1, { terminating: true })]);
  const { conditions } = await around.gate.reconcile();
  assert.deepEqual(around.record(), taken.record);
  assert.match(conditions[0]?.message ?? '', /The rebalance nightly is under way .*its moves \(25%\)/);
  around.setPods([0, 1, 2].map((ordinal) => brokerPod(ordinal)));
  const answer = await around.ask(1);
  assert.ok(answer.verdict === 'deny');
  assert.equal(answer.reason, 'lease-held');
  assert.match(
    answer.message,
    /the rebalance nightly is under way .*25%.*kafka-warden rebalance stop nightly/,
  );
  assert.equal(around.gate.budget().maxUnavailable, 0);
});

test('the budget opens while each pod could go alone, and stays open for one that was allowed', async (t) => {
  const around = await given(t, { stable: false });
  await around.gate.reconcile();
  assert.equal(around.gate.budget().maxUnavailable, 0, 'in-sync replicas are not known to be stable');
  await around.later(60_000);
  await around.gate.reconcile();
  assert.equal(around.gate.budget().maxUnavailable, 1);
  await around.ask(1);
  await around.gate.reconcile();
  assert.equal(around.gate.budget().maxUnavailable, 1);
  around.kafka.partitions[0]!.isr = [0, 1];
  await around.later(1_000);
  await around.gate.reconcile();
  assert.equal(around.gate.budget().maxUnavailable, 0);
});

test('the budget is closed as soon as a broker answers no more, whatever the next read takes', async () => {
  const kafka = new FakeKafka();
  const periods = { idleMs: 3_600_000, quickMs: 20, askedForMs: 1, pingMs: 20 };
  const around = surroundings({ kafka, periods });
  const stop = new AbortController();
  const run = around.gate.run(stop.signal);
  const until = async (what: () => boolean) => {
    while (!what()) await new Promise((resolve) => setTimeout(resolve, 10));
  };
  await until(() => around.woken.includes('disruption'));
  await around.gate.reconcile();
  const closed = around.gate.budget();
  around.woken.length = 0;
  const hangs = Promise.withResolvers<void>();
  const { apiVersions } = kafka;
  kafka.apiVersions = async () => {
    await hangs.promise;
    return apiVersions();
  };
  kafka.silent.add(2);
  await until(() => around.woken.includes('budget'));
  assert.deepEqual(around.gate.budget(), {
    maxUnavailable: 0,
    why: 'A broker that is counted on does not answer or does not follow the metadata.',
  });
  assert.notEqual(closed.why, around.gate.budget().why);
  hangs.resolve();
  stop.abort();
  await run;
});

test('a budget that nobody has judged for a while is closed', async (t) => {
  const around = await given(t);
  await around.gate.reconcile();
  assert.equal(around.gate.budget().maxUnavailable, 1);
  around.kafka.away = true;
  await around.later(1_000);
  assert.equal(around.gate.budget().maxUnavailable, 0);
  assert.match(around.gate.budget().why, /cannot be asked/);
});

test('a view that has not read what was committed is asked for again, and then judged as behind', async (t) => {
  const around = await given(t);
  around.kafka.behind.set(2, 1n);
  await around.later(1_000);
  const answer = await around.ask(1);
  assert.ok(answer.verdict === 'deny');
  assert.match(answer.message, /broker 2 has not read the newest metadata/);
});

test('a new topic is judged by its own minimum at once; what is known is not asked each time', async (t) => {
  const around = await given(t);
  const { kafka } = around;
  const before = kafka.settingsAsked;
  await around.later(1_000);
  assert.equal(kafka.settingsAsked, before);
  kafka.minIsr['strict'] = '3';
  kafka.partitions.push({ topic: 'strict', partition: 0, leader: 0, replicas: [0, 1, 2], isr: [0, 1, 2] });
  await around.later(1_000);
  assert.ok(kafka.settingsAsked > before);
  const answer = await around.ask(1, { dryRun: true });
  assert.equal(answer.verdict, 'deny', 'its in-sync replicas are not known to be stable');
  await around.later(60_000);
  const later = await around.ask(1, { dryRun: true });
  assert.deepEqual(later, {
    verdict: 'allow',
    note: '1 partitions have no replica to spare and are unavailable, or written without redundancy, until it is back',
  });
});

test('partitions without a replica to spare block where the annotation says so', async (t) => {
  const around = await given(t);
  around.kafka.minIsr['orders'] = '3';
  await around.later(60_000);
  assert.equal((await around.ask(1, { dryRun: true })).verdict, 'allow');
  const { object } = around.set;
  const metadata = { ...object.metadata, annotations: { 'kafka-warden.io/rf-at-min': 'block' } };
  around.setWorld({ sets: [{ ...around.set, object: { ...object, metadata } }] });
  const answer = await around.ask(1, { dryRun: true });
  assert.equal(answer.verdict === 'deny' && answer.reason, 'rf-at-min');
  await around.gate.reconcile();
  assert.equal(around.gate.budget().maxUnavailable, 0);
});

test('who copies is told with what is left', async (t) => {
  const around = await given(t);
  around.kafka.lose(2);
  around.kafka.find(2);
  await around.ask(0);
  await around.later(30_000);
  await around.ask(0);
  let message = '';
  // Sizes are looked at beside the reads.
  for (let left = 20; left > 0 && !message.includes('catching up'); left--) {
    await around.later(1_000);
    const answer = await around.ask(0);
    message = answer.verdict === 'deny' ? answer.message : '';
  }
  assert.match(message, /broker 2 is catching up, 5.7 MiB left/);
});
