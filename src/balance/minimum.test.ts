import assert from 'node:assert/strict';
import { test } from 'node:test';
import { minimumText } from './minimum.ts';

const write = { share: (share: number) => `${100 * share}%`, ratio: (ratio: number) => String(ratio) };

test('a plan is compared with the proven minimum only where it leaves no broker outside', () => {
  assert.equal(
    minimumText({ boundShare: 0.25, ratio: 1.02 }, write),
    '25% proven (this plan: 1.02 times that)',
  );
  assert.equal(
    minimumText({ boundShare: 0.25 }, write),
    '25% proven, for plans that leave no broker outside',
  );
  assert.equal(
    minimumText({ boundShare: 13 }, write),
    'proven: no plan of this mode brings every broker into the band',
  );
});
