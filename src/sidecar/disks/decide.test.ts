import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type PodDisk, decideDisks } from './decide.ts';

const disk = (part: Partial<PodDisk> & { pod: string }): PodDisk => ({
  claim: { uid: `${part.pod}-claim`, bound: true },
  recorded: undefined,
  running: false,
  abandoned: false,
  confirmed: false,
  toldConfirmed: false,
  ...part,
});
const intact = (pod: string): PodDisk => disk({ pod, recorded: `${pod}-claim`, running: true });

test('a claim is recorded once its broker runs on it, not before', () => {
  assert.deepEqual(decideDisks([disk({ pod: 'k-0' })]), []);
  assert.deepEqual(decideDisks([disk({ pod: 'k-0', running: true, claim: { uid: 'u', bound: false } })]), []);
  assert.deepEqual(decideDisks([disk({ pod: 'k-0', running: true })]), [
    { pod: 'k-0', action: 'record', claim: 'k-0-claim' },
  ]);
});

test('another claim under a recorded id, while others still have theirs, is a lost disk', () => {
  const lost = disk({ pod: 'k-1', recorded: 'before', running: true });
  assert.deepEqual(decideDisks([intact('k-0'), lost]), [{ pod: 'k-1', action: 'report-lost' }]);
});

test('a confirmed lost disk is told to the launcher, and recorded once its broker runs', () => {
  const lost = disk({ pod: 'k-1', recorded: 'before', confirmed: true });
  assert.deepEqual(decideDisks([intact('k-0'), lost]), [{ pod: 'k-1', action: 'confirm' }]);
  assert.deepEqual(decideDisks([intact('k-0'), { ...lost, toldConfirmed: true }]), []);
  assert.deepEqual(decideDisks([intact('k-0'), { ...lost, toldConfirmed: true, running: true }]), [
    { pod: 'k-1', action: 'record', claim: 'k-1-claim' },
  ]);
});

test('a cluster of which every recorded claim is gone begins with no records', () => {
  const disks = ['k-0', 'k-1'].map((pod) => disk({ pod, recorded: 'before' }));
  assert.deepEqual(
    decideDisks(disks),
    ['k-0', 'k-1'].map((pod) => ({ pod, action: 'forget' })),
  );
});

test('the record of a pod that was scaled away goes with its claim, and no earlier', () => {
  const gone = { ...disk({ pod: 'k-3', recorded: 'before', abandoned: true }), claim: undefined };
  assert.deepEqual(decideDisks([intact('k-0'), gone]), [{ pod: 'k-3', action: 'forget' }]);
  assert.deepEqual(decideDisks([intact('k-0'), { ...gone, abandoned: false }]), []);
  assert.deepEqual(decideDisks([intact('k-3')]), []);
});

const anyDisk = fc.record({
  pod: fc.constantFrom('k-0', 'k-1', 'k-2', 'k-3'),
  claim: fc.option(fc.record({ uid: fc.constantFrom('a', 'b'), bound: fc.boolean() }), { nil: undefined }),
  recorded: fc.option(fc.constantFrom('a', 'b', 'c'), { nil: undefined }),
  running: fc.boolean(),
  abandoned: fc.boolean(),
  confirmed: fc.boolean(),
  toldConfirmed: fc.boolean(),
});
const anyDisks = fc.uniqueArray(anyDisk, { selector: ({ pod }) => pod, maxLength: 4 });

test('a record is never changed or dropped for an unconfirmed new claim while any other record holds', () => {
  fc.assert(
    fc.property(anyDisks, (disks) => {
      const holds = disks.some(({ claim, recorded }) => recorded !== undefined && recorded === claim?.uid);
      for (const { pod, action } of decideDisks(disks)) {
        const { claim, recorded, confirmed, toldConfirmed } = disks.find((one) => one.pod === pod)!;
        const another = claim !== undefined && recorded !== undefined && recorded !== claim.uid;
        if (holds && another && !confirmed && !toldConfirmed) assert.equal(action, 'report-lost');
      }
    }),
  );
});

test('after what was decided is done there is nothing more to do', () => {
  fc.assert(
    fc.property(anyDisks, (disks) => {
      const done = disks.map((one) => after(one, decideDisks(disks)));
      const again = decideDisks(done).filter(({ action }) => action !== 'report-lost');
      const records = again.filter(({ action }) => action !== 'record');
      assert.deepEqual(records, []);
    }),
  );
});

function after(one: PodDisk, actions: ReturnType<typeof decideDisks>): PodDisk {
  const action = actions.find(({ pod }) => pod === one.pod);
  switch (action?.action) {
    case 'record':
      return { ...one, recorded: action.claim, toldConfirmed: false, confirmed: false };
    case 'forget':
      return { ...one, recorded: undefined, toldConfirmed: false };
    case 'confirm':
      return { ...one, toldConfirmed: true };
    case 'withdraw-confirmation':
      return { ...one, toldConfirmed: false };
    default:
      return one;
  }
}
