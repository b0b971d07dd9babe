import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keys } from '../../names.ts';
import { judgeWith } from '../outcomes.ts';
import type { Review } from '../review.ts';
import { hardened, vanilla } from '../test/sets.ts';
import { validateScale } from './scales-validate.ts';
import { validateStatefulSet } from './statefulsets-validate.ts';

const kafka = hardened('kafka');
const view = {
  hardenedSet: (_namespace: string, name: string) => (name === 'kafka' ? kafka : undefined),
  setsOf: () => [kafka],
  largestReplication: () => ({ replicas: 4, topics: ['audit'] }),
};

const scale = (replicas: number | undefined) => ({ spec: replicas === undefined ? {} : { replicas } });

const review = (from: number, to: number | undefined, more: Partial<Review> = {}): Review => ({
  uid: 'u',
  operation: 'UPDATE',
  namespace: 'shop',
  name: 'kafka',
  kind: 'Scale',
  dryRun: false,
  username: 'somebody',
  object: scale(to),
  oldObject: scale(from),
  ...more,
});

test('a Scale that would break a hardened cluster is refused, with the numbers, the reason and the way on', () => {
  const answer = validateScale(review(3, 2), view);
  assert.ok(!answer.allowed);
  assert.equal(answer.code, 422);
  assert.match(
    answer.message,
    /refuses to scale StatefulSet shop\/kafka from 3 to 2: its first 3 pods are voters/,
  );
  assert.ok(!validateScale(review(3, undefined), view).allowed, 'a Scale leaves out zero');
  assert.ok(!validateScale(review(3, 97), view).allowed);
});

test('what the sidecar told of the topics counts', () => {
  const answer = validateScale(review(5, 3), view);
  assert.match(answer.allowed ? '' : answer.message, /3 brokers would be left, and audit has 4 replicas/);
});

test('any other Scale is let through', () => {
  for (const [from, to] of [
    [3, 4],
    [5, 4],
    [0, 3],
    [3, 3],
  ] as const)
    assert.ok(validateScale(review(from, to), view).allowed);
  assert.ok(validateScale(review(3, 0, { name: 'db' }), view).allowed);
  assert.ok(validateScale(review(3, 0, { kind: 'StatefulSet' }), view).allowed);
  assert.ok(validateScale(review(3, 4, { object: undefined }), view).allowed);
});

test('an update of the StatefulSet is measured by the same numbers', () => {
  const judge = judgeWith('harden');
  const sized = (replicas: number, annotations: object = {}) => ({
    ...kafka,
    metadata: { ...kafka.metadata, annotations: { ...kafka.metadata?.annotations, ...annotations } },
    spec: { ...kafka.spec!, replicas },
  });
  const update = (from: object, to: object) =>
    validateStatefulSet(
      review(0, 0, {
        kind: 'StatefulSet',
        object: to as Review['object'],
        oldObject: from as Review['oldObject'],
      }),
      judge,
      view,
    );
  const refused = update(sized(3), sized(2));
  assert.match(refused.allowed ? '' : refused.message, /from 3 to 2: its first 3 pods are voters/);
  assert.ok(update(sized(3), sized(4)).allowed);
  assert.ok(!update(sized(3), sized(0)).allowed);
  assert.ok(update(sized(3), sized(0, { [keys.confirmScale]: '0' })).allowed);
  assert.ok(update(vanilla('db', 'postgres:17'), { ...vanilla('db', 'postgres:17') }).allowed);
});
