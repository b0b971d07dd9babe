import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { budgetOf } from './budget.ts';
import type { Evidence } from './evidence.ts';
import { prepare } from './prepared.ts';
import { confirm, emptyRecord, reserve } from './record.ts';
import type { Outcome } from './record.ts';
import { evidenceOf, nowMs, partition, pod, three } from './test/cluster.ts';

const healthy = evidenceOf(three);
const budget = (evidence: Evidence, atMs = nowMs): number => budgetOf(prepare(evidence), atMs).maxUnavailable;
const withRecord = (outcome: Outcome): Evidence => {
  assert.ok(outcome.ok);
  return { ...healthy, record: { known: true, record: outcome.record } };
};

suite('the budget', () => {
  test('is 1 while every broker and controller could go alone', () => assert.equal(budget(healthy), 1));
  test('is 0 while one of them could not', () => {
    const { because, maxUnavailable } = budgetOf(
      prepare(evidenceOf({ ...three, brokers: 4, partitions: [partition('orders', 0, [0, 1, 3], [0, 1])] })),
      nowMs,
    );
    assert.equal(maxUnavailable, 0);
    assert.deepEqual(
      because.map((verdict) => verdict.pod),
      ['kafka-0', 'kafka-1'],
    );
  });
  test('is 0 once the evidence is old', () => assert.equal(budget(healthy, nowMs + 5000), 0));
  test('is 0 while a pod is terminating or was never started', () => {
    const pods = (facts: object) => ({ ...healthy, pods: [pod(0), pod(1), pod(2, facts)] });
    assert.equal(budget(pods({ terminating: true })), 0);
    assert.equal(budget(pods({ everStarted: false, ready: false, phase: 'Pending' })), 0);
  });
  test('is 0 where no pod is known, or an override is all that lets one go', () => {
    assert.equal(budget({ ...healthy, pods: [] }), 0);
    const spoilt = evidenceOf({ ...three, partitions: [partition('orders', 0, [0, 1, 2], [0, 1])] });
    assert.equal(budget({ ...spoilt, pods: [0, 1, 2].map((id) => pod(id, { override: true })) }), 0);
  });
  test('stays 1 for a reserved pod, whose eviction still has to pass it, and is 0 under a lease', () => {
    const claim = { id: 'e', by: 's' };
    const reserved = reserve(emptyRecord, claim, { pod: 'kafka-1', podUid: 'uid-1' }, nowMs);
    assert.equal(budget(withRecord(reserved)), 1);
    assert.ok(reserved.ok);
    assert.equal(budget(withRecord(confirm(reserved.record, claim, 'uid-1', nowMs))), 0);
  });
  test('is not closed by a pod in an eviction loop, which the gate alone holds', () => {
    const evictions = [1, 2, 3].map((n) => ({ pod: 'kafka-1', atMs: nowMs - n }));
    const node = { cordoned: false, tainted: false, gone: false };
    const pods = [pod(0), pod(1, { node }), pod(2)];
    assert.equal(
      budget({ ...healthy, pods, record: { known: true, record: { ...emptyRecord, evictions } } }),
      1,
    );
  });
});
