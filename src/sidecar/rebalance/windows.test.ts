import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { WindowSpec } from './kafka-rebalance.ts';
import { isTimeZone, windowsAt } from './windows.ts';

const at = (windows: WindowSpec[], time: string) => {
  const found = windowsAt(windows, new Date(time));
  if (found.open) return `open until ${new Date(found.untilMs).toISOString()}`;
  return found.opensAtMs === undefined ? 'never' : `opens ${new Date(found.opensAtMs).toISOString()}`;
};

const night: WindowSpec = { from: '22:00', to: '06:00', timeZone: 'Europe/Berlin' };

test('a window that crosses midnight belongs to the day on which it opens', () => {
  const friday = { ...night, days: ['Fri'] as const };
  assert.equal(at([friday], '2026-11-27T20:59:00Z'), 'opens 2026-11-27T21:00:00.000Z');
  assert.equal(at([friday], '2026-11-27T21:00:00Z'), 'open until 2026-11-28T05:00:00.000Z');
  assert.equal(at([friday], '2026-11-28T04:59:00Z'), 'open until 2026-11-28T05:00:00.000Z');
  assert.equal(at([friday], '2026-11-28T05:00:00Z'), 'opens 2026-12-04T21:00:00.000Z');
  assert.equal(at([friday], '2026-11-26T23:00:00Z'), 'opens 2026-11-27T21:00:00.000Z');
});

test('the time is that of the time zone, in summer and in winter', () => {
  assert.equal(at([night], '2026-07-01T20:30:00Z'), 'open until 2026-07-02T04:00:00.000Z');
  assert.equal(at([night], '2026-12-01T20:30:00Z'), 'opens 2026-12-01T21:00:00.000Z');
});

test('a night is an hour shorter when the clocks go forward, and an hour longer when they go back', () => {
  assert.equal(at([night], '2026-03-28T21:00:00Z'), 'open until 2026-03-29T04:00:00.000Z');
  assert.equal(at([night], '2026-10-24T20:00:00Z'), 'open until 2026-10-25T05:00:00.000Z');
});

test('a window in the hour that the clocks leave out does not open that day', () => {
  const skipped: WindowSpec = { from: '02:00', to: '03:00', timeZone: 'Europe/Berlin' };
  assert.equal(at([skipped], '2026-03-29T01:00:00Z'), 'opens 2026-03-30T00:00:00.000Z');
  assert.equal(at([skipped], '2026-10-25T00:30:00Z'), 'open until 2026-10-25T02:00:00.000Z');
});

test('24:00 is the end of the day, and the last window to close counts', () => {
  const day: WindowSpec = { from: '00:00', to: '24:00', days: ['Sat', 'Sun'] };
  assert.equal(at([day], '2026-11-28T12:00:00Z'), 'open until 2026-11-29T00:00:00.000Z');
  assert.equal(
    at([day, { from: '11:00', to: '13:00' }], '2026-11-28T12:00:00Z'),
    'open until 2026-11-29T00:00:00.000Z',
  );
  assert.equal(at([], '2026-11-28T12:00:00Z'), 'never');
});

test('time zones that nobody has are told from those that are there', () => {
  assert.ok(isTimeZone('Asia/Kathmandu'));
  assert.ok(!isTimeZone('Europe/Atlantis'));
});

const clock = fc.integer({ min: 0, max: 1439 }).map((minutes) => {
  const part = (value: number) => String(value).padStart(2, '0');
  return `${part(Math.floor(minutes / 60))}:${part(minutes % 60)}`;
});
const zone = fc.constantFrom(
  'UTC',
  'Europe/Berlin',
  'America/New_York',
  'Australia/Lord_Howe',
  'Asia/Kathmandu',
);
const instant = fc.integer({ min: Date.UTC(2024, 0, 1), max: Date.UTC(2028, 0, 1) });

test('property: a window is open until it closes, and closed until it opens', () => {
  fc.assert(
    fc.property(clock, clock, zone, instant, (from, to, timeZone, ms) => {
      fc.pre(from !== to);
      const windows = [{ from, to, timeZone }];
      const state = windowsAt(windows, new Date(ms));
      if (state.open) {
        assert.ok(state.untilMs > ms && state.untilMs - ms <= 25 * 3_600_000);
        assert.equal(windowsAt(windows, new Date(state.untilMs - 1)).open, true);
      } else {
        assert.ok(state.opensAtMs !== undefined && state.opensAtMs > ms);
        assert.equal(windowsAt(windows, new Date(state.opensAtMs)).open, true);
        assert.equal(windowsAt(windows, new Date(state.opensAtMs - 1)).open, false);
      }
    }),
  );
});

test('property: without changes of the clocks the state is what the clock on the wall says', () => {
  fc.assert(
    fc.property(clock, clock, instant, (from, to, ms) => {
      fc.pre(from !== to);
      const wall = new Date(ms).toISOString().slice(11, 16);
      const expected = from < to ? from <= wall && wall < to : from <= wall || wall < to;
      assert.equal(windowsAt([{ from, to }], new Date(ms)).open, expected);
    }),
  );
});
