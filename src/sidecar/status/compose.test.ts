import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Facts, Report } from '../context.ts';
import { composeStatus } from './compose.ts';
import type { BrokerStatus, CertificateStatus } from './kafka-cluster.ts';

const now = new Date('2026-06-01T00:00:00Z');
const broker = (id: number, part: Partial<BrokerStatus> = {}): BrokerStatus => ({
  id,
  pod: `kafka-${id}`,
  set: 'kafka',
  registered: true,
  ready: true,
  ...part,
});
const certificate = (part: Partial<CertificateStatus> = {}): CertificateStatus => ({
  pod: 'kafka-0',
  store: 'INTERNAL',
  notAfter: '2027-06-01T00:00:00.000Z',
  renewAt: '2027-02-01T00:00:00.000Z',
  ...part,
});
const facts: Facts = {
  brokers: [broker(0), broker(1)],
  mode: 'kraft',
  quorum: { leader: 0, voters: [0, 1], observers: [] },
  certificates: [certificate()],
};
const compose = (part: Partial<Facts> = {}, reports: Report[] = [], rolling: string[] = []) => {
  const sources = { kafkaVersion: '4.1.0', rolling, earlier: undefined, now };
  const status = composeStatus({
    ...sources,
    reports: [{ conditions: [], facts: { ...facts, ...part } }, ...reports],
  });
  const condition = (type: string) => status.conditions?.find((one) => one.type === type);
  return { status, condition };
};

test('a cluster is ready when every broker is registered and every pod ready', () => {
  assert.equal(compose().condition('Ready')?.status, 'True');
  assert.equal(
    compose({ brokers: [broker(0), broker(1, { ready: false })] }).condition('Ready')?.reason,
    'PodsNotReady',
  );
  assert.equal(
    compose({ quorum: { leader: -1, voters: [], observers: [] } }).condition('Ready')?.reason,
    'NoController',
  );
});

test('what a duty finds wrong is why the cluster is not ready', () => {
  const lost = { type: 'LostDisk', status: 'True', reason: 'EmptyVolume', message: 'kafka-1' } as const;
  assert.equal(compose({}, [{ conditions: [lost] }]).condition('Ready')?.reason, 'EmptyVolume');
  const overlap = { type: 'BudgetOverlap', status: 'True', reason: 'ForeignBudget', message: 'x' } as const;
  assert.equal(compose({}, [{ conditions: [overlap] }]).condition('Ready')?.status, 'True');
});

test('progress is told while a set rolls or a pod is not ready', () => {
  assert.equal(compose().condition('Progressing')?.status, 'False');
  assert.equal(compose({}, [], ['kafka']).condition('Progressing')?.status, 'True');
  assert.equal(compose({ brokers: [broker(0, { ready: false })] }).condition('Progressing')?.status, 'True');
});

test('the certificate that a process presents counts, not the one in the Secret', () => {
  assert.equal(compose().condition('CertificatesValid')?.reason, 'Valid');
  const ended = compose({ presented: { 'kafka-0 INTERNAL': '2026-05-31T00:00:00.000Z' } });
  assert.equal(ended.condition('CertificatesValid')?.reason, 'Expired');
  assert.equal(ended.status.certificates?.[0]?.presentedNotAfter, '2026-05-31T00:00:00.000Z');
  assert.ok(!('presented' in ended.status));
  const soon = compose({ presented: { 'kafka-0 INTERNAL': '2026-08-01T00:00:00.000Z' } });
  assert.equal(soon.condition('CertificatesValid')?.reason, 'RestartSoon');
  assert.equal(compose({ certificates: [] }).condition('CertificatesValid')?.status, 'Unknown');
});

test('conditions are sorted and keep their times', () => {
  const { status } = compose();
  const types = status.conditions?.map(({ type }) => type) ?? [];
  assert.deepEqual(types, [...types].sort());
  const later = new Date('2026-07-01T00:00:00Z');
  const again = composeStatus({
    reports: [{ conditions: [], facts }],
    kafkaVersion: '4.1.0',
    rolling: [],
    earlier: status,
    now: later,
  });
  assert.deepEqual(again, status);
});
