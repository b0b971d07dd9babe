import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type DisruptionRecord, advance, freeze, keepJournal, take } from '../../gate/record.ts';
import { recordText } from '../../gate/record-json.ts';
import { memoryApi } from '../../kubernetes/test/memory-api.ts';
import type { Log } from '../../kubernetes/object.ts';
import { paths } from '../../kubernetes/paths.ts';
import { clusterSet } from '../test/sets.ts';
import type { StatefulSet } from '../objects.ts';
import type { World } from '../world.ts';
import { changeRecord, changeRecordFrom, readRecord } from './index.ts';
import { dropLeftovers } from './leftovers.ts';

const path = paths.configmaps('shop', 'kafka-kafka-disruption');
const claim = { id: 'monday', by: 'sidecar-1' };

function place() {
  const api = memoryApi();
  const world = () => ({ sets: [clusterSet('kafka')] }) as unknown as World;
  return { api, context: { kube: api.kube, namespace: 'shop', cluster: 'kafka', world } };
}

test('without a ConfigMap nobody holds the record; the first write makes it, owned by the StatefulSets', async () => {
  const { api, context } = place();
  const before = await readRecord(context);
  assert.deepEqual(before.known, { known: true, record: { schemaVersion: 1, evictions: [] } });
  const outcome = await changeRecord(context, (record) => take(record, claim, { kind: 'rebalance' }, 1));
  assert.ok(outcome.ok);
  const stored = api.objects.get(path);
  assert.equal(stored?.metadata?.ownerReferences?.[0]?.kind, 'StatefulSet');
  const after = await readRecord(context);
  assert.ok(after.known.known);
  assert.equal(after.known.record.holder?.id, 'monday');
});

test('a transition that the record refuses writes nothing', async () => {
  const { api, context } = place();
  await changeRecord(context, (record) => take(record, claim, { kind: 'rebalance' }, 1));
  const version = api.objects.get(path)?.metadata?.resourceVersion;
  const other = { id: 'kafka-1', by: 'sidecar-1' };
  const outcome = await changeRecord(context, (record) => take(record, other, { kind: 'roll' }, 2));
  assert.ok(!outcome.ok);
  assert.match(outcome.message, /rebalance monday holds the disruption record/);
  assert.equal(api.objects.get(path)?.metadata?.resourceVersion, version);
});

test('a write that comes between is seen: the transition is asked again about what is there then', async () => {
  const { api, context } = place();
  await changeRecord(context, (record) => take(record, claim, { kind: 'rebalance' }, 1));
  let between = 0;
  const outcome = await changeRecord(context, (record) => {
    if (between++ === 0) {
      const held = api.objects.get(path);
      const changed = keepJournal(record, claim, { other: true });
      assert.ok(changed.ok);
      api.put(path, { ...held, data: { record: recordText(changed.record) } });
    }
    return keepJournal(record, claim, { mine: true });
  });
  assert.ok(outcome.ok);
  assert.equal(between, 2);
});

test('what was read a moment ago is changed as it is, or, where it has changed since, as it is then', async () => {
  const { api, context } = place();
  const nobody = await readRecord(context);
  let reads = 0;
  const counted = {
    ...context,
    kube: {
      ...context.kube,
      tryGet: <T>(path: string) => {
        reads++;
        return context.kube.tryGet<T>(path);
      },
    },
  };
  const byFirst = (record: DisruptionRecord) => take(record, claim, { kind: 'rebalance' }, 1);
  assert.ok((await changeRecord(counted, byFirst, nobody)).ok);
  assert.equal(reads, 0);
  // Another one that has read the same as the first comes too late, with the ConfigMap made and with it changed.
  const byOther = (record: DisruptionRecord) =>
    take(record, { id: 'kafka-1', by: 'sidecar-2' }, { kind: 'roll' }, 2);
  for (const stale of [nobody, { ...(await readRecord(context)), known: nobody.known }]) {
    const held = api.objects.get(path);
    api.put(path, { ...held, metadata: { ...held?.metadata, annotations: { changed: 'again' } } });
    reads = 0;
    const outcome = await changeRecord(counted, byOther, stale);
    assert.ok(!outcome.ok);
    assert.match(outcome.message, /rebalance monday holds the disruption record/);
    assert.equal(reads, 1);
  }
});

test('a record that was just written can be gone on from; one that has changed since cannot', async () => {
  const { context } = place();
  const subject = { kind: 'loss', pod: 'kafka-1', broker: 1, set: 'kafka', podUid: 'u' } as const;
  const taken = await changeRecord(context, (record) => take(record, claim, subject, 1));
  assert.ok(taken.ok);
  const move = { from: 'away', to: 'starting' } as const;
  const on = await changeRecordFrom(context, taken.record, (record) => advance(record, claim, move, 2));
  assert.ok(on.ok);
  const late = await changeRecordFrom(context, taken.record, (record) => advance(record, claim, move, 3));
  assert.ok(!late.ok);
  assert.match(late.message, /has changed since it was read/);
});

test('while the gate is off, an eviction that nobody follows holds nothing up', async () => {
  const { context } = place();
  const told: string[] = [];
  const log = { info: (_: object, message: string) => void told.push(message) } as unknown as Log;
  await changeRecord(context, (record) => take(record, claim, { kind: 'loss', pod: 'kafka-1' }, 1));
  await dropLeftovers({ ...context, log });
  const { known } = await readRecord(context);
  assert.ok(known.known && known.record.holder === undefined);
  await changeRecord(context, (record) => take(record, claim, { kind: 'rebalance' }, 1));
  await dropLeftovers({ ...context, log });
  const after = await readRecord(context);
  assert.equal(after.known.known && after.known.record.holder?.kind, 'rebalance');
  assert.equal(told.length, 1);
});

test('with the gate off a set that was held at its old revision is given back to its author', async () => {
  const { api, context } = place();
  const log = { info: () => {} } as unknown as Log;
  const set = paths.statefulsets('shop', 'kafka');
  const partitionOf = () =>
    (api.objects.get(set) as unknown as StatefulSet).spec?.updateStrategy?.rollingUpdate?.partition;
  for (const [found, left] of [
    [2, 0],
    [1, 1],
  ] as const) {
    api.put(set, {
      metadata: { name: 'kafka', namespace: 'shop', uid: 'u' },
      spec: { updateStrategy: { rollingUpdate: { partition: found } } },
    });
    await changeRecord(context, (record) => {
      const taken = take(record, claim, { kind: 'loss', pod: 'kafka-2', set: 'kafka' }, 1);
      assert.ok(taken.ok);
      return freeze(taken.record, claim, [{ set: 'kafka', revision: 'r2', partition: 2, was: 0 }]);
    });
    await dropLeftovers({ ...context, log });
    assert.equal(partitionOf(), left, 'what somebody else has set stays');
    const { known } = await readRecord(context);
    assert.ok(known.known && known.record.holder === undefined);
  }
});

test('a record that could not be read again is not written', async () => {
  const { api, context } = place();
  const wrong = { set: 'kafka', revision: 'r2', partition: 2, was: Infinity };
  await assert.rejects(
    changeRecord(context, (record) => {
      const taken = take(record, claim, { kind: 'loss', pod: 'kafka-2', set: 'kafka' }, 1);
      assert.ok(taken.ok);
      return freeze(taken.record, claim, [wrong]);
    }),
    /holder.frozen.0.was/,
  );
  assert.equal(api.objects.get(path), undefined);
});

test('a damaged record is never overwritten', async () => {
  const { api, context } = place();
  api.put(path, { apiVersion: 'v1', kind: 'ConfigMap', metadata: {}, data: { record: '{"schemaVersion":' } });
  const { known } = await readRecord(context);
  assert.equal(known.known, false);
  await assert.rejects(
    changeRecord(context, (record) => take(record, claim, { kind: 'rebalance' }, 1)),
    { code: 'record-unreadable' },
  );
  assert.equal((api.objects.get(path) as { data?: object } | undefined)?.data && 'kept', 'kept');
});
