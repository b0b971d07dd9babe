import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { test } from 'node:test';
import { defaultIterations, saltPassword } from './scram.ts';

/** `Hi()` as RFC 5802 §2.2 writes it. */
function hi(password: string, salt: Buffer, iterations: number): Buffer {
  const next = (input: Buffer) => createHmac('sha512', password).update(input).digest();
  let last = next(Buffer.concat([salt, Buffer.from([0, 0, 0, 1])]));
  const sum = Buffer.from(last);
  for (let i = 1; i < iterations; i++) {
    last = next(last);
    last.forEach((byte, index) => (sum[index] = (sum[index] ?? 0) ^ byte));
  }
  return sum;
}

test('the salted password is Hi() of RFC 5802', async () => {
  const salt = Buffer.from('Yin2FuHTt/M0kJWb0t9OI32n2VmOGi3m+JfjOvuDF88=', 'base64');
  const { saltedPassword } = await saltPassword('pencil', { salt, iterations: 4096 });
  assert.deepEqual(saltedPassword, hi('pencil', salt, 4096));
});

test('each salting is different, within the iterations that Kafka accepts', async () => {
  const [one, two] = await Promise.all([saltPassword('Secret12'), saltPassword('Secret12')]);
  assert.notDeepEqual(one.salt, two.salt);
  assert.notDeepEqual(one.saltedPassword, two.saltedPassword);
  assert.ok(defaultIterations >= 4096 && defaultIterations <= 16_384);
});

test('a password that SASLprep could change is refused', async () => {
  for (const bad of ['', 'späte', 'a b', 'a\u00adb']) await assert.rejects(saltPassword(bad), RangeError);
});
