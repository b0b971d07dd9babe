import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { renewAt } from './index.ts';

test('a certificate of 30 days is renewed 20 days after it began', () => {
  const validity = {
    notBefore: new Date('2026-01-01T00:00:00Z'),
    notAfter: new Date('2026-01-31T00:00:00Z'),
  };
  assert.equal(renewAt(validity).toISOString(), '2026-01-21T00:00:00.000Z');
});

test('the time to renew lies within the life, with a third of it left', () => {
  const dates = fc.date({ min: new Date(0), max: new Date('2100-01-01'), noInvalidDate: true });
  fc.assert(
    fc.property(dates, fc.integer({ min: 3, max: 1e12 }), (notBefore, lifeMs) => {
      const notAfter = new Date(notBefore.getTime() + lifeMs);
      const leftMs = notAfter.getTime() - renewAt({ notBefore, notAfter }).getTime();
      assert.ok(Math.abs(leftMs - lifeMs / 3) <= 1);
    }),
  );
});
