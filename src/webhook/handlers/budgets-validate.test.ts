import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { keys } from '../../names.ts';
import type { Review } from '../review.ts';
import { hardened, vanilla } from '../test/sets.ts';
import { budgetsOver, validateBudget } from './budgets-validate.ts';

const view = {
  setsOf: (namespace: string) => (namespace === 'shop' ? [hardened('kafka'), hardened('more', 'kafka')] : []),
};
const ours = async () => true;

const review = (selector: object | undefined, more: Partial<Review> = {}): Review => ({
  uid: 'u',
  operation: 'CREATE',
  namespace: 'shop',
  name: 'mine',
  kind: 'PodDisruptionBudget',
  dryRun: false,
  username: 'somebody',
  object: { metadata: { name: 'mine' }, spec: { minAvailable: 2, ...(selector ? { selector } : {}) } },
  oldObject: undefined,
  ...more,
});

test('a second budget over brokers is refused, with what to do instead', async () => {
  const selectors = [
    { matchLabels: { app: 'kafka' } },
    { matchLabels: { [keys.node]: 'kafka' } },
    { matchExpressions: [{ key: 'app', operator: 'In', values: ['more'] }] },
    { matchLabels: { 'statefulset.kubernetes.io/pod-name': 'kafka-2' } },
    {},
  ];
  for (const selector of selectors) {
    const answer = await validateBudget(review(selector), view, ours);
    assert.ok(!answer.allowed, JSON.stringify(selector));
    assert.equal(answer.code, 422);
    assert.match(
      answer.message,
      /shop\/mine: .*cluster kafka, which kafka-kafka-warden covers already.*Leave it out, or .*kafka-warden\.io\/node, operator: DoesNotExist/,
    );
  }
});

test('one that covers no broker, or follows the remedy, is let through', async () => {
  const selectors = [
    undefined,
    { matchLabels: { app: 'db' } },
    { matchLabels: { 'statefulset.kubernetes.io/pod-name': 'kafka-3' } },
    { matchLabels: { app: 'kafka' }, matchExpressions: [{ key: keys.node, operator: 'DoesNotExist' }] },
  ];
  for (const selector of selectors) assert.ok((await validateBudget(review(selector), view, ours)).allowed);
  const elsewhere = review({}, { namespace: 'elsewhere' });
  assert.ok((await validateBudget(elsewhere, view, ours)).allowed);
  const unhardened = { setsOf: () => [vanilla('kafka')] };
  assert.ok((await validateBudget(review({}), unhardened, ours)).allowed);
});

test('one that was there before ours stays, and may be edited but for its selector', async () => {
  const selector = { matchLabels: { app: 'kafka' } };
  assert.ok((await validateBudget(review(selector), view, async () => false)).allowed);
  const update = (before: object) =>
    review(selector, { operation: 'UPDATE', oldObject: { spec: { maxUnavailable: 1, selector: before } } });
  assert.ok((await validateBudget(update(selector), view, ours)).allowed);
  assert.ok(!(await validateBudget(update({ matchLabels: { app: 'x' } }), view, ours)).allowed);
});

test('our own is not held against itself', async () => {
  const own = review({ matchLabels: { [keys.node]: 'kafka' } }, { name: 'kafka-kafka-warden' });
  assert.ok((await validateBudget(own, view, ours)).allowed);
});

test('where nobody knows whether ours is there, nothing is refused', async () => {
  const asked: string[] = [];
  const over = budgetsOver({
    tryGet: async <T>(path: string) => {
      asked.push(path);
      if (asked.length > 2) throw new Error('away');
      return (asked.length === 1 ? {} : undefined) as T | undefined;
    },
  });
  assert.deepEqual(
    [await over('shop', 'kafka'), await over('shop', 'kafka'), await over('shop', 'kafka')],
    [true, false, false],
  );
  assert.equal(asked[0], '/apis/policy/v1/namespaces/shop/poddisruptionbudgets/kafka-kafka-warden');
});

test('any budget is answered', async () => {
  await fc.assert(
    fc.asyncProperty(fc.dictionary(fc.string(), fc.string()), async (matchLabels) => {
      assert.equal(typeof (await validateBudget(review({ matchLabels }), view, ours)).allowed, 'boolean');
    }),
  );
});
