import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { bytesOf, bytesText, durationText } from './amounts.ts';
import { canonicalJson, hashOf } from './canonical.ts';
import type { RebalanceSpec } from './kafka-rebalance.ts';
import { readSettings, settingsKey } from './settings.ts';

const settingsOf = (spec: Partial<RebalanceSpec>) => {
  const read = readSettings({ cluster: 'kafka', ...spec });
  return 'settings' in read ? read.settings : assert.fail(read.problem.message);
};

test('a spec with nothing but its cluster has the defaults', () => {
  const { mode, request, execution, readRates } = settingsOf({});
  assert.deepEqual([mode, request.tolerance, request.trigger, readRates], ['balance', 0.08, 0.15, false]);
  assert.deepEqual(execution, { throttle: {} });
});

test('quantities and per cents become numbers', () => {
  const { execution, request, autoApprove } = settingsOf({
    throttle: { floor: '1M', ceiling: '50Mi' },
    concurrency: { movesPerBroker: 5, batchBytes: '10Gi' },
    diskReserve: 15,
    searchSeconds: 7,
    autoApprove: { maxBytes: 1_000_000 },
  });
  assert.deepEqual(execution, {
    throttle: { floorBytesPerSecond: 1e6, ceilingBytesPerSecond: 50 * 2 ** 20 },
    movesPerBroker: 5,
    batchBytes: 10 * 2 ** 30,
    diskReserve: 0.15,
  });
  assert.equal(request.budgetMs, 7000);
  assert.deepEqual(autoApprove, { maxBytes: 1_000_000, windows: [] });
});

test('what is wrong is said with the field and the remedy', () => {
  const wrong: [Partial<RebalanceSpec>, RegExp][] = [
    [{ mode: 'remove-brokers' }, /^spec\.brokers: is empty; name the brokers to empty/],
    [{ tolerance: '2' }, /^spec\.tolerance: 2 is not a number from 0\.01/],
    [{ tolerance: '0.2', trigger: '0.1' }, /^spec\.trigger: 0\.1 is below the tolerance 0\.2; raise it/],
    [
      { throttle: { floor: '5M', ceiling: '1M' } },
      /^spec\.throttle\.floor: 5M is above the ceiling 1M; lower it/,
    ],
    [{ throttle: { bytesPerSecond: '5M', ceiling: '1M' } }, /^spec\.throttle: .*remove it/],
    [
      { throttle: { bytesPerSecond: '5 apples' } },
      /bytesPerSecond: 5 apples is no amount above 0; write 500, 20M/,
    ],
    [{ plan: { configMap: 'x' }, autoApprove: { maxBytes: 1 } }, /never approved automatically; remove it/],
    [
      { autoApprove: { maxBytes: '1Gi', windows: [{ from: '1:00', to: '2:00', timeZone: 'Mars/Olympus' }] } },
      /^spec\.autoApprove\.windows\[0\]\.timeZone: Mars\/Olympus is no time zone; give an IANA name/,
    ],
  ];
  for (const [spec, message] of wrong) {
    const read = readSettings({ cluster: 'kafka', ...spec });
    assert.match('problem' in read ? read.problem.message : 'nothing', message);
  }
});

test('a plan does not depend on who may approve it, and on everything else', () => {
  const spec: RebalanceSpec = { cluster: 'kafka', tolerance: '0.1' };
  assert.equal(settingsKey({ ...spec, autoApprove: { maxBytes: '1Gi' } }), settingsKey(spec));
  assert.notEqual(settingsKey({ ...spec, throttle: { ceiling: '1M' } }), settingsKey(spec));
});

test('amounts are read as Kubernetes reads them and written as people read them', () => {
  assert.deepEqual(['20M', '1.5Gi', 500, '0.5k', '0', '1Ei', 'many', '-1'].map(bytesOf), [
    20e6,
    1.5 * 2 ** 30,
    500,
    500,
    undefined,
    undefined,
    undefined,
    undefined,
  ]);
  assert.deepEqual([0, 900, 1024, 13_314_398_617, 2 ** 50].map(bytesText), [
    '0 B',
    '900 B',
    '1.0 KiB',
    '12.4 GiB',
    '1.0 PiB',
  ]);
  assert.deepEqual([3, 840, 11_100, 400_000].map(durationText), ['3s', '14m', '3h 05m', '4d 15h']);
});

test('property: canonical JSON is JSON, and does not depend on the order of keys', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      assert.deepEqual(JSON.parse(canonicalJson(value)), JSON.parse(JSON.stringify(value)));
    }),
  );
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.integer()), (value) => {
      assert.equal(hashOf(Object.fromEntries(Object.entries(value).reverse())), hashOf(value));
    }),
  );
  assert.throws(() => canonicalJson({ size: NaN }), /cannot hold the number NaN/);
});
