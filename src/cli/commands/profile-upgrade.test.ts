import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newestPinFor } from '../../hardening/index.ts';
import { file, kafkaWarden, plainKafka } from '../test/session.ts';

const newest = newestPinFor('apache-kafka/1') ?? '';
const pinned = (text: string): string | undefined => /kafka-warden\.io\/profile: (\S+)/.exec(text)?.[1];

test('a manifest pinned to the first profile moves to the newest one, and to the same text as a fresh hardening', async () => {
  const fresh = await kafkaWarden('harden', '-f', file('plain.yaml', plainKafka));
  const old = await kafkaWarden('profile', 'upgrade', '-f', file('fresh.yaml', fresh.out), '--to', '1');
  assert.equal(old.code, 0);
  assert.equal(pinned(old.out), 'apache-kafka/1');

  const kept = await kafkaWarden('harden', '-f', file('old.yaml', old.out));
  assert.equal(kept.out, old.out, 'hardening alone keeps the pin');

  const upgraded = await kafkaWarden('profile', 'upgrade', '-f', file('old.yaml', old.out));
  assert.equal(upgraded.code, 0);
  assert.ok(upgraded.err.includes(`StatefulSet kafka: apache-kafka/1 → ${newest}`), upgraded.err);
  assert.equal(pinned(upgraded.out), newest);
  const values = async (text: string) =>
    JSON.parse((await kafkaWarden('harden', '-f', file('any.yaml', text), '-o', 'json')).out) as unknown;
  assert.deepEqual(await values(upgraded.out), await values(fresh.out));
});

test('--diff shows what would change', async () => {
  const fresh = await kafkaWarden('harden', '-f', file('plain.yaml', plainKafka));
  const { out } = await kafkaWarden(
    'profile',
    'upgrade',
    '-f',
    file('fresh.yaml', fresh.out),
    '--to',
    '1',
    '--diff',
  );
  const [before, after] = [newest, 'apache-kafka/1'].map((pin) => `kafka-warden.io/profile: ${pin}`);
  assert.ok(new RegExp(`^-.*${before}\\n\\+.*${after}$`, 'm').test(out), out);
});
