import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { StatefulSet } from '../hardening/model.ts';
import { keys } from '../names.ts';
import { reportOn } from './enrolment.ts';
import { hardened, vanilla } from './test/sets.ts';
import { trimStatefulSet } from './trimmed.ts';

const reportFor = (set: StatefulSet, mode: Parameters<typeof reportOn>[1] = 'harden') =>
  reportOn(trimStatefulSet(set), mode);
const annotated = (set: StatefulSet, annotations: Record<string, string>): StatefulSet => ({
  ...set,
  metadata: { ...set.metadata, annotations },
});

test('a Kafka that ran before is reported with the command that shows what adoption would change', () => {
  const report = reportFor(vanilla('kafka'));
  assert.equal(report?.rule, 'adoption');
  assert.match(report?.message ?? '', /is not hardened, and is not touched/);
  assert.match(report?.message ?? '', /kafka-warden adopt --plan statefulset\/kafka -n shop$/);
});

test('where something else stands in the way, the report names the rule and the remedy', () => {
  const report = reportFor(vanilla('kafka', 'wurstmeister/kafka:2.13'));
  assert.equal(report?.rule, 'image-profile');
  assert.match(report?.message ?? '', /\[image-profile\] .+ Use /);
});

test('a set that is in mode audit is reported as such, whoever chose the mode', () => {
  assert.equal(reportFor(vanilla('kafka'), 'audit')?.rule, 'mode');
  assert.equal(reportFor(annotated(vanilla('kafka'), { [keys.mode]: 'audit' }))?.rule, 'mode');
  assert.equal(reportFor(annotated(vanilla('kafka'), { [keys.mode]: 'strict' }))?.rule, 'adoption');
});

test('what is hardened, no Kafka, opted out or on its way out is not reported', () => {
  const set = vanilla('kafka');
  const silent = [
    hardened('kafka'),
    vanilla('db', 'postgres:17'),
    { ...set, metadata: { ...set.metadata, labels: { [keys.ignore]: 'true' } } },
    { ...set, metadata: { ...set.metadata, deletionTimestamp: new Date() } },
  ];
  for (const one of silent) assert.equal(reportFor(one), undefined);
});

test('the message is the same at each look, so that it is told once, and fits an Event', () => {
  const set = annotated(vanilla('kafka'), { [keys.imageProfile]: 'x'.repeat(2_000) });
  const report = reportFor(set);
  assert.deepEqual(reportFor(set)?.message, report?.message);
  assert.ok(Buffer.byteLength(report?.message ?? '') <= 1_024);
  assert.match(report?.message ?? '', /adopt --plan/);
});
