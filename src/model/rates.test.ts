import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { readRates, spanSeconds, writeRates } from './rates.ts';
import { brokerOf, dirOf, sampleOf } from './test/samples.ts';

const committed = (offset: bigint) => [
  { group: 'g', offsets: [{ topic: 'a', partition: 0, offset }] },
  { group: 'h', offsets: [{ topic: 'a', partition: 0, offset: offset * 2n }] },
];

void suite('write rates', () => {
  test('are offsets over time, times the bytes of one', () => {
    const samples = [
      sampleOf({ latest: { 'a-0': 100 } }),
      sampleOf({ atMs: 10_000, latest: { 'a-0': 600 }, bytesPerOffset: { 'a-0': 200 } }),
    ];
    assert.deepEqual([...writeRates(samples)], [['a-0', { bytesPerSecond: 10_000, source: 'offsets' }]]);
    assert.equal(spanSeconds(samples), 10);
  });

  test('of a partition that is not written are none, and known', () => {
    const samples = [0, 5_000].map((atMs) => sampleOf({ atMs, latest: { 'a-0': 7 } }));
    assert.deepEqual(writeRates(samples).get('a-0'), { bytesPerSecond: 0, source: 'offsets' });
  });

  test('are unknown with one sample, and for a partition that is new', () => {
    assert.equal(writeRates([sampleOf({ latest: { 'a-0': 7 } })]).size, 0);
    const samples = [sampleOf(), sampleOf({ atMs: 1_000, latest: { 'a-0': 7 } })];
    assert.equal(writeRates(samples).size, 0);
  });

  test('use the mean of the topic where a partition’s own bytes are not known', () => {
    const samples = [
      sampleOf({ latest: { 'a-0': 0, 'a-1': 0, 'a-2': 0 } }),
      sampleOf({
        atMs: 1_000,
        latest: { 'a-0': 1, 'a-1': 1, 'a-2': 10 },
        bytesPerOffset: { 'a-0': 100, 'a-1': 300, 'b-2': 9 },
      }),
    ];
    assert.equal(writeRates(samples).get('a-2')?.bytesPerSecond, 2_000);
  });

  test('are the growth of the log where no bytes per offset are known, and shrinking counts as nothing', () => {
    const at = (atMs: number, bytes: number, offset: number) =>
      sampleOf({ atMs, latest: { 'a-0': offset }, brokers: [brokerOf(0, [dirOf({ 'a-0': bytes })])] });
    const samples = [at(0, 1_000, 0), at(1_000, 5_000, 1), at(2_000, 500, 2), at(4_000, 1_500, 3)];
    assert.deepEqual(writeRates(samples).get('a-0'), { bytesPerSecond: 1_250, source: 'growth' });
  });

  test('a topic that is made again under its name counts from its new beginning', () => {
    const at = (atMs: number, offset: number) =>
      sampleOf({ atMs, latest: { 'a-0': offset }, bytesPerOffset: { 'a-0': 10 } });
    assert.equal(writeRates([at(0, 1_000), at(1_000, 0), at(2_000, 50)]).get('a-0')?.bytesPerSecond, 250);
  });

  test('whatever the samples, rates are finite, not negative, and more offsets are never a lower rate', () => {
    const offsets = fc.array(fc.nat(1e9), { minLength: 2, maxLength: 6 });
    fc.assert(
      fc.property(offsets, fc.nat(1e6), fc.integer({ min: 1, max: 60_000 }), (values, more, stepMs) => {
        const rate = (last: number) => {
          const all = [...values.slice(0, -1), last];
          const samples = all.map((value, index) =>
            sampleOf({ atMs: index * stepMs, latest: { 'a-0': value }, bytesPerOffset: { 'a-0': 100 } }),
          );
          return writeRates(samples).get('a-0')!.bytesPerSecond;
        };
        const last = values.at(-1)!;
        assert.ok(Number.isFinite(rate(last)) && rate(last) >= 0 && rate(last + more) >= rate(last));
      }),
    );
  });

  test('a sample between two others changes nothing while offsets only grow', () => {
    fc.assert(
      fc.property(
        fc.nat(1e6),
        fc.nat(1e6),
        fc.nat(1e6),
        fc.integer({ min: 1, max: 99 }),
        (first, one, two, part) => {
          const at = (share: number, offset: number) =>
            sampleOf({ atMs: share * 100, latest: { 'a-0': offset }, bytesPerOffset: { 'a-0': 8 } });
          const between = writeRates([at(0, first), at(part, first + one), at(100, first + one + two)]);
          const without = writeRates([at(0, first), at(100, first + one + two)]);
          const difference = between.get('a-0')!.bytesPerSecond - without.get('a-0')!.bytesPerSecond;
          assert.ok(Math.abs(difference) < 1e-3);
        },
      ),
    );
  });
});

void suite('read rates', () => {
  test('add up what all groups commit', () => {
    const samples = [
      sampleOf({ committed: committed(0n) }),
      sampleOf({ atMs: 1_000, committed: committed(10n), bytesPerOffset: { 'a-0': 100 } }),
    ];
    assert.deepEqual([...(readRates(samples) ?? [])], [['a-0', 3_000]]);
  });

  test('are undefined until two samples asked', () => {
    assert.equal(readRates([sampleOf(), sampleOf({ atMs: 1, committed: committed(1n) })]), undefined);
  });
});
