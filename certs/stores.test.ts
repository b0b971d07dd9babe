import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import {
  CertificateError,
  type CertificateErrorCode,
  createAuthority,
  issueLeaf,
  keystore,
  nodeSubject,
  password as newPassword,
  truststore,
} from './index.ts';

const now = new Date();
const lifetimeMs = 3_600_000;
const password = newPassword();
const newAuthority = () => createAuthority({ subject: { commonName: 'authority' }, now, lifetimeMs });
const authority = newAuthority();
const leaf = issueLeaf(authority, {
  subject: nodeSubject,
  dnsNames: ['kafka-0'],
  usages: ['server', 'client'],
  now,
  lifetimeMs,
});
const request = { ...leaf, password, alias: 'kafka-0' };

const directory = mkdtempSync(join(tmpdir(), 'kafka-warden-stores-'));
after(() => rmSync(directory, { recursive: true, force: true }));
const file = (name: string, contents: Buffer | string): string => {
  const path = join(directory, name);
  writeFileSync(path, contents);
  return path;
};
const openssl = (...args: string[]): string =>
  execFileSync('openssl', args, { encoding: 'utf8', cwd: directory, stdio: ['ignore', 'pipe', 'pipe'] });
const refused = (code: CertificateErrorCode, act: () => unknown): void =>
  assert.throws(act, (error) => error instanceof CertificateError && error.code === code);
const counted = (): ((size: number) => Uint8Array) => {
  let calls = 0;
  return (size) =>
    createHash('sha512')
      .update(String((calls += 1)))
      .digest()
      .subarray(0, size);
};

describe('a keystore', () => {
  test('is read by OpenSSL: the key and both certificates, by AES-256 and SHA-256', () => {
    const store = file('keys.p12', keystore(request));
    const inside = ['pkcs12', '-in', store, '-passin', `pass:${password}`, '-nodes'];
    const text = execFileSync('sh', ['-c', 'openssl "$@" 2>&1', 'sh', ...inside, '-info'], {
      encoding: 'utf8',
    });
    assert.match(text, /MAC: sha256/);
    assert.equal(text.match(/PBES2, PBKDF2, AES-256-CBC, Iteration 10000, PRF hmacWithSHA256/g)?.length, 2);
    assert.ok(text.includes(leaf.privateKeyPem.trim()));
    assert.ok(text.includes(leaf.certificatePem.trim()));
    assert.ok(text.includes(authority.certificatePem.trim()));
    assert.match(text, /friendlyName: kafka-0/);
  });

  test('opens with its own password only', () => {
    const store = file('locked.p12', keystore(request));
    assert.throws(
      () => openssl('pkcs12', '-in', store, '-passin', 'pass:another', '-noout'),
      /invalid password/,
    );
  });

  test('takes an RSA key of another issuer', () => {
    const made = [
      '-newkey',
      'rsa:2048',
      '-nodes',
      '-subj',
      '/CN=rsa',
      '-keyout',
      'rsa.key',
      '-out',
      'rsa.pem',
    ];
    openssl('req', '-x509', ...made);
    const certificatePem = readFileSync(join(directory, 'rsa.pem'), 'utf8');
    const privateKeyPem = readFileSync(join(directory, 'rsa.key'), 'utf8');
    const store = keystore({ certificatePem, chainPem: '', privateKeyPem, password, alias: 'rsa' });
    const key = openssl(
      'pkcs12',
      '-in',
      file('rsa.p12', store),
      '-passin',
      `pass:${password}`,
      '-nodes',
      '-nocerts',
    );
    assert.ok(key.includes(privateKeyPem.trim()));
  });

  test('is the same bytes for the same random source, and never else', () => {
    assert.deepEqual(keystore(request, counted()), keystore(request, counted()));
    assert.notDeepEqual(keystore(request), keystore(request));
  });

  test('is refused for what could not be used', () => {
    const other = newAuthority();
    const { privateKeyPem, certificatePem } = issueLeaf(other, {
      ...request,
      subject: nodeSubject,
      usages: ['client'],
      now,
      lifetimeMs,
    });
    refused('key-mismatch', () => keystore({ ...request, privateKeyPem }));
    refused('key-mismatch', () => keystore({ ...request, certificatePem }));
    refused('chain-broken', () => keystore({ ...request, chainPem: other.certificatePem }));
    refused('chain-broken', () => keystore({ ...request, chainPem: leaf.chainPem + other.certificatePem }));
    refused('certificate-unreadable', () => keystore({ ...request, certificatePem: '' }));
    refused('key-unreadable', () => keystore({ ...request, privateKeyPem: '' }));
    for (const alias of ['', 'a b', 'é', 'x'.repeat(129)])
      refused('alias-invalid', () => keystore({ ...request, alias }));
    for (const bad of ['', 'short', 'pässword', 'line\nbreak']) {
      refused('password-unusable', () => keystore({ ...request, password: bad }));
    }
  });

  test('takes at most 10 ms to issue and write', { timeout: 30_000 }, (t) => {
    const durations = Array.from({ length: 30 }, () => {
      const start = performance.now();
      const issued = issueLeaf(authority, { subject: nodeSubject, usages: ['server'], now, lifetimeMs });
      keystore({ ...issued, password, alias: 'kafka-0' });
      return performance.now() - start;
    });
    const fastest = Math.min(...durations);
    t.diagnostic(`fastest of 30: ${fastest.toFixed(1)} ms`);
    assert.ok(fastest <= 10, `${fastest} ms`);
  });
});

describe('a truststore', () => {
  const entry = (alias: string, { certificatePem } = newAuthority()) => ({ alias, certificatePem });

  test('holds each authority once under its own alias', () => {
    const store = file('trust.p12', truststore([entry('new'), entry('old')], password));
    const text = openssl('pkcs12', '-in', store, '-passin', `pass:${password}`, '-nodes');
    assert.equal(text.match(/BEGIN CERTIFICATE/g)?.length, 2);
    assert.equal(text.match(/2\.16\.840\.1\.113894\.746875\.1\.1:/g)?.length, 2, text);
    assert.match(text, /friendlyName: new[^]*friendlyName: old/);
  });

  test('is refused empty, with a leaf in it, or with an alias twice', () => {
    refused('truststore-empty', () => truststore([], password));
    refused('not-an-authority', () => truststore([entry('leaf', leaf)], password));
    refused('alias-invalid', () => truststore([entry('one'), entry('ONE')], password));
    refused('password-unusable', () => truststore([entry('one')], ''));
  });
});

test('OpenSSL verifies a leaf against its authority, strictly, for both ends of TLS', () => {
  const ca = file('ca.pem', authority.certificatePem);
  const pem = file('leaf.pem', leaf.certificatePem);
  for (const purpose of ['sslserver', 'sslclient']) {
    const output = openssl('verify', '-x509_strict', '-purpose', purpose, '-CAfile', ca, pem);
    assert.match(output, /leaf\.pem: OK/);
  }
  const stranger = file('stranger.pem', newAuthority().certificatePem);
  assert.throws(() => openssl('verify', '-CAfile', stranger, pem));
});

test('OpenSSL refuses a leaf for the end of TLS that it was not issued for', () => {
  const serverOnly = issueLeaf(authority, { subject: nodeSubject, usages: ['server'], now, lifetimeMs });
  const ca = file('ca.pem', authority.certificatePem);
  const pem = file('server.pem', serverOnly.certificatePem);
  assert.throws(
    () => openssl('verify', '-purpose', 'sslclient', '-CAfile', ca, pem),
    /unsuitable certificate purpose|unsupported certificate purpose/,
  );
});

test('OpenSSL refuses an authority under a leaf or under another authority', () => {
  const rogue = createAuthority({ subject: nodeSubject, now, lifetimeMs });
  const below = issueLeaf(rogue, { subject: { commonName: 'rogue' }, usages: ['client'], now, lifetimeMs });
  const chain = file('rogue.pem', below.certificatePem);
  const untrusted = file('between.pem', rogue.certificatePem);
  const ca = file('ca.pem', authority.certificatePem);
  assert.throws(() => openssl('verify', '-CAfile', ca, '-untrusted', untrusted, chain));
});

test('a password is 32 letters and digits, never the same twice', () => {
  const passwords = Array.from({ length: 200 }, newPassword);
  assert.equal(new Set(passwords).size, 200);
  for (const each of passwords) assert.match(each, /^[A-Za-z0-9]{32}$/);
});
