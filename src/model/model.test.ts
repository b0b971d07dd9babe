import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { parseModel } from '../balance/index.ts';
import { modelOf } from './model.ts';
import { GB, brokerOf, dirOf, sampleOf, silentBroker, topicOf } from './test/samples.ts';

const figure = (modelled: ReturnType<typeof modelOf>, name: string) =>
  modelled.confidence.find((one) => one.figure === name)!;
const statesOf = ({ model }: ReturnType<typeof modelOf>) =>
  Object.fromEntries(model.brokers.map(({ id, state }) => [id, state]));

void suite('the model of one sample', () => {
  const sample = sampleOf({
    brokers: [
      brokerOf(0, [dirOf({ 'a-0': 5 * GB, 'a-1': 2 * GB })]),
      brokerOf(1, [dirOf({ 'a-0': 4 * GB })]),
      brokerOf(2),
    ],
    topics: [topicOf('a', [[0, 1], [0]])],
  });

  test('has sizes in MB, of the largest replica, and says that rates are unknown', () => {
    const modelled = modelOf([sample]);
    assert.deepEqual(modelled.model.partitions, [
      { topic: 'a', partition: 0, replicas: [0, 1], leader: 0, size: 5_000, bytesIn: 0, bytesOut: 0 },
      { topic: 'a', partition: 1, replicas: [0], leader: 0, size: 2_000, bytesIn: 0, bytesOut: 0 },
    ]);
    assert.deepEqual([figure(modelled, 'disk').known, figure(modelled, 'bytesIn').known], [1, 0]);
    assert.match(figure(modelled, 'bytesIn').words, /second sample/);
    assert.match(figure(modelled, 'networkCapacity').words, /unknown, so all count as equal/);
    parseModel(modelled.model);
  });

  test('calls brokers that hold nothing new, those asked for draining, and fills those asked for', () => {
    assert.deepEqual(statesOf(modelOf([sample])), { 0: 'alive', 1: 'alive', 2: 'new' });
    const asked = modelOf([sample], { draining: [0], newBrokers: [1] });
    assert.deepEqual(statesOf(asked), { 0: 'draining', 1: 'new', 2: 'new' });
  });

  test('keeps racks and capacities, given ones first', () => {
    const capacities = new Map([[1, { diskBytes: 2_000 * GB, networkInBytesPerSecond: 5e6 }]]);
    const { model } = modelOf([sample], { capacities, networkBytesPerSecond: 1e9 });
    assert.deepEqual(model.brokers[1], {
      id: 1,
      rack: 'rack-1',
      state: 'alive',
      capacity: { disk: 2_000_000, networkIn: 5, networkOut: 1_000 },
    });
  });

  test('throws where there is none', () => {
    assert.throws(() => modelOf([]), /samples: is empty/);
  });
});

test('followers take the write rate too, and leaders send it to each of them beside what is read', () => {
  const topics = [topicOf('a', [[0, 1, 2]])];
  const at = (atMs: number, offset: number) =>
    sampleOf({
      atMs,
      topics,
      latest: { 'a-0': offset },
      bytesPerOffset: { 'a-0': 1_000 },
      committed: [{ group: 'g', offsets: [{ topic: 'a', partition: 0, offset: BigInt(offset) }] }],
    });
  const modelled = modelOf([at(0, 0), at(10_000, 50_000)]);
  const [partition] = modelled.model.partitions;
  assert.equal(partition?.bytesIn, 5);
  assert.equal(partition.bytesOut, 15);
  assert.match(figure(modelled, 'bytesIn').words, /over 10 s from offsets for 100%/);
  assert.match(figure(modelled, 'bytesOut').words, /1 consumer groups/);
});

test('a broker that is away but holds replicas stays in the model, excluded; one to be emptied drains', () => {
  const earlier = sampleOf({ brokers: [0, 1, 2, 3].map((id) => brokerOf(id)) });
  const sample = sampleOf({ atMs: 1, topics: [topicOf('a', [[0, 3]], { offline: [3] })] });
  const kept = modelOf([earlier, sample]);
  assert.deepEqual(kept.excludedBrokers, [3]);
  assert.equal(kept.model.brokers.find(({ id }) => id === 3)?.rack, 'rack-0');
  assert.equal(kept.model.partitions[0]?.offline, undefined);
  assert.match(kept.notes.join(), /Brokers 3 hold replicas and are away/);
  const drained = modelOf([earlier, sample], { draining: [3] });
  assert.deepEqual(drained.excludedBrokers, []);
  assert.equal(statesOf(drained)[3], 'draining');
});

test('partitions come by name and index, in whatever order Kafka tells of them', () => {
  const topics = [topicOf('b', [[0]]), topicOf('a', [[0], [1]])];
  const turned = topics.map((topic) => ({ ...topic, partitions: [...topic.partitions].reverse() }));
  const keys = (one: typeof topics) =>
    modelOf([sampleOf({ topics: one })]).model.partitions.map(
      ({ topic, partition }) => `${topic}-${partition}`,
    );
  assert.deepEqual(keys(topics), ['a-0', 'a-1', 'b-0']);
  assert.deepEqual(keys(turned.reverse()), ['a-0', 'a-1', 'b-0']);
});

test('replicas on offline directories are named', () => {
  const brokers = [
    brokerOf(0, [dirOf({}), { path: '/lost', error: 'KAFKA_STORAGE_ERROR', replicas: [] }]),
    brokerOf(1, [dirOf({ 'a-0': GB })]),
  ];
  const modelled = modelOf([sampleOf({ brokers, topics: [topicOf('a', [[1, 0]], { offline: [0] })] })]);
  assert.deepEqual(modelled.model.partitions[0]?.offline, [0]);
  assert.match(modelled.notes.join(), /\/lost of broker 0/);
  assert.deepEqual(modelled.model.brokers[0]?.dirs, [
    { path: '/data', capacity: 1_000_000 },
    { path: '/lost', capacity: 0, offline: true },
  ]);
  assert.doesNotThrow(() => parseModel(modelled.model));
});

test('of brokers with several log directories the model has what each can hold, and what lies in which', () => {
  const futures = dirOf({ 'a-0': GB }, { path: '/c' }).replicas.map((one) => ({ ...one, future: true }));
  const brokers = [
    brokerOf(0, [
      { ...dirOf({}, { path: '/c' }), replicas: futures },
      dirOf({ 'a-0': 5 * GB }, { path: '/b', usableBytes: 95 * GB }),
    ]),
    brokerOf(1, [dirOf({ 'a-0': 5 * GB })]),
    brokerOf(2, [dirOf({}, { path: '/b' }), dirOf({ 'a-1': GB }, { path: '/c' })]),
  ];
  const topics = [topicOf('a', [[0, 1], [2, 0], [1]])];
  const { model, notes } = modelOf([sampleOf({ brokers, topics })]);
  assert.deepEqual(
    model.brokers.map(({ dirs }) => dirs?.map(({ path, capacity }) => `${path} ${capacity}`)),
    [['/b 100000', '/c 1000000'], undefined, ['/b 1000000', '/c 1000000']],
  );
  assert.deepEqual(
    model.partitions.map(({ dirs }) => dirs),
    [['/b', 'any'], ['/c', 'any'], undefined],
  );
  assert.doesNotThrow(() => parseModel(model));
  assert.deepEqual(notes, []);
});

test('where directories do not tell what they can hold, a broker counts as one disk, and that is said', () => {
  const { totalBytes: _total, ...unsized } = dirOf({ 'a-0': GB }, { path: '/b' });
  const brokers = [brokerOf(0, [unsized, dirOf({})])];
  const { model, notes } = modelOf([sampleOf({ brokers, topics: [topicOf('a', [[0]])] })]);
  assert.deepEqual([model.brokers[0]?.dirs, model.partitions[0]?.dirs], [undefined, undefined]);
  assert.match(notes.join(), /Brokers 0 do not tell what each of their log directories can hold/);
});

test('a partition that Kafka moves counts where it is going to be', () => {
  const reassignments = [{ topic: 'a', partition: 0, replicas: [1, 2, 0], adding: [1, 2], removing: [0] }];
  const topics = [topicOf('a', [[1, 2, 0]], { leader: 0 })];
  const modelled = modelOf([sampleOf({ topics, reassignments })]);
  assert.deepEqual(modelled.model.partitions[0]?.replicas, [1, 2]);
  assert.equal(modelled.model.partitions[0]?.leader, 1);
  assert.deepEqual(modelled.reassigning, [{ topic: 'a', partition: 0 }]);
});

test('excluded topics are found by name and pattern', () => {
  const topics = ['a.b', 'axb', '__consumer_offsets', 'audit-1'].map((name) => topicOf(name, [[0]]));
  const { excludedTopics } = modelOf([sampleOf({ topics })], { excludedTopics: ['a.b', '__*', '*-1'] });
  assert.deepEqual(excludedTopics, ['a.b', '__consumer_offsets', 'audit-1']);
});

test('whatever a cluster says, the planner takes the model, and every amount is a number of its kind', () => {
  const ids = fc.uniqueArray(fc.nat(5), { minLength: 1, maxLength: 4 });
  const cluster = fc.record({
    replicas: fc.array(ids, { maxLength: 8 }),
    present: fc.uniqueArray(fc.nat(5), { minLength: 1 }),
    sizes: fc.array(fc.nat(1e12), { minLength: 8, maxLength: 8 }),
    offsets: fc.array(fc.nat(1e9), { minLength: 16, maxLength: 16 }),
    leaderless: fc.boolean(),
    draining: fc.array(fc.nat(7), { maxLength: 2 }),
    silent: fc.nat(5),
    more: fc.constantFrom('none', 'empty', 'offline', 'unsized'),
  });
  fc.assert(
    fc.property(cluster, (it) => {
      const keys = it.replicas.map((_, index) => `a-${index}`);
      const sizes = Object.fromEntries(keys.map((key, index) => [key, it.sizes[index]!]));
      const more = {
        none: [],
        empty: [dirOf({}, { path: '/more' })],
        offline: [{ path: '/more', error: 'KAFKA_STORAGE_ERROR', replicas: [] }],
        unsized: [{ path: '/more', replicas: [] }],
      }[it.more];
      const sample = (atMs: number) =>
        sampleOf({
          atMs,
          brokers: it.present.map((id) =>
            id === it.silent ? silentBroker(id) : brokerOf(id, [dirOf(sizes), ...more]),
          ),
          topics: [topicOf('a', it.replicas, it.leaderless ? { leader: -1, offline: [0] } : { offline: [] })],
          latest: Object.fromEntries(
            keys.map((key, index) => [key, it.offsets[index + (atMs > 0 ? 8 : 0)]!]),
          ),
          bytesPerOffset: { 'a-0': 100 },
        });
      const { model, confidence, excludedBrokers } = modelOf([sample(0), sample(5_000)], {
        draining: it.draining,
      });
      if (model.brokers.some(({ state }) => state !== 'draining')) parseModel(model);
      assert.ok(confidence.every(({ known }) => known >= 0 && known <= 1));
      for (const id of excludedBrokers) assert.ok(!it.present.includes(id));
      const replicas = it.replicas.flat().length;
      assert.equal(
        model.partitions.reduce((sum, one) => sum + one.replicas.length, 0),
        replicas,
      );
    }),
  );
});
