import assert from 'node:assert/strict';
import { X509Certificate, createPrivateKey, generateKeyPairSync } from 'node:crypto';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import {
  type Authority,
  CertificateError,
  type CertificateErrorCode,
  type LeafRequest,
  createAuthority,
  isIssuedBy,
  issueLeaf,
  loadAuthority,
  nodeSubject,
  publicKeySha256,
  readCertificate,
} from './index.ts';
import { subjects } from './test/subjects.ts';

const now = new Date('2026-03-01T12:00:00.500Z');
const hour = 3_600_000;
const authorityAt = (at: Date, lifetimeMs = 24 * hour): Authority =>
  createAuthority({
    subject: { commonName: 'authority', organization: 'kafka-warden' },
    now: at,
    lifetimeMs,
  });
const authority = authorityAt(now);
const request: LeafRequest = { subject: nodeSubject, usages: ['server', 'client'], now, lifetimeMs: hour };

const refusal = (code: CertificateErrorCode) => (error: unknown) => {
  assert.ok(error instanceof CertificateError);
  assert.equal(error.code, code);
  assert.ok(error.message.endsWith(error.remedy), 'the message ends with what to do');
  return true;
};
const refused = (code: CertificateErrorCode, overrides: Partial<LeafRequest>): void =>
  assert.throws(() => issueLeaf(authority, { ...request, ...overrides }), refusal(code));

describe('an authority', () => {
  test('signs itself and may sign others', () => {
    const certificate = new X509Certificate(authority.certificatePem);
    assert.ok(certificate.ca);
    assert.ok(certificate.verify(certificate.publicKey));
    assert.ok(certificate.checkPrivateKey(createPrivateKey(authority.privateKeyPem)));
  });

  test('is valid from five minutes before it was made, in whole seconds', () => {
    assert.equal(authority.notBefore.toISOString(), '2026-03-01T11:55:00.000Z');
    assert.equal(authority.notAfter.toISOString(), '2026-03-02T12:00:00.000Z');
    const { notBefore, notAfter } = readCertificate(authority.certificatePem);
    assert.deepEqual(
      { notBefore, notAfter },
      { notBefore: authority.notBefore, notAfter: authority.notAfter },
    );
  });

  test('may outlive 2049, where the encoding of dates changes', () => {
    const long = authorityAt(now, 30 * 365 * 24 * hour);
    assert.deepEqual(readCertificate(long.certificatePem).notAfter, long.notAfter);
    assert.equal(long.notAfter.getUTCFullYear(), 2056);
  });

  test('comes back from its stored parts as it was', () => {
    const { certificatePem, privateKeyPem } = authority;
    assert.deepEqual(loadAuthority({ certificatePem, privateKeyPem }), authority);
  });

  test('is refused where its parts are not a pair, not an authority, or not readable', () => {
    const other = authorityAt(now);
    const { certificatePem, privateKeyPem } = authority;
    const load = (parts: Partial<typeof authority>) => () =>
      loadAuthority({ certificatePem, privateKeyPem, ...parts });
    assert.throws(load({ privateKeyPem: other.privateKeyPem }), refusal('key-mismatch'));
    assert.throws(load(issueLeaf(authority, request)), refusal('not-an-authority'));
    assert.throws(load({ certificatePem: 'nonsense' }), refusal('certificate-unreadable'));
    assert.throws(load({ privateKeyPem: 'nonsense' }), refusal('key-unreadable'));
    const rotten = certificatePem.replace(/\n.{20}/, '\nMIIBAAAAAAAAAAAAAAAA');
    assert.throws(load({ certificatePem: rotten }), refusal('certificate-unreadable'));
  });

  test('errors never quote the key that was given', () => {
    const { privateKey } = generateKeyPairSync('ed25519');
    const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
    const broken = pem.replace('-----END', 'END');
    for (const privateKeyPem of [pem, broken]) {
      assert.throws(
        () => loadAuthority({ certificatePem: authority.certificatePem, privateKeyPem }),
        (error: Error) =>
          !JSON.stringify([error.message, error.stack, error.cause]).includes(pem.slice(40, 60)),
      );
    }
  });
});

describe('a leaf', () => {
  test('is signed by its authority and by no other of the same name', () => {
    const leaf = issueLeaf(authority, request);
    assert.ok(isIssuedBy(leaf.certificatePem, authority.certificatePem));
    assert.ok(!isIssuedBy(leaf.certificatePem, authorityAt(now).certificatePem));
    assert.equal(leaf.chainPem, leaf.certificatePem + authority.certificatePem);
  });

  test('says what was asked for, whatever the subject and the names', () => {
    const names = fc.uniqueArray(fc.domain(), { maxLength: 5 });
    const lifetimes = fc.integer({ min: 1000, max: 24 * hour });
    fc.assert(
      fc.property(subjects, names, lifetimes, (subject, dnsNames, lifetimeMs) => {
        const leaf = issueLeaf(authority, { ...request, subject, dnsNames, lifetimeMs });
        const facts = readCertificate(leaf.certificatePem);
        assert.deepEqual(facts.dnsNames, [...new Set(dnsNames.map((name) => name.toLowerCase()))]);
        assert.equal(facts.issuer, 'CN=authority,O=kafka-warden');
        assert.equal(facts.serialHex, leaf.serialHex);
        assert.equal(facts.serialHex, new X509Certificate(leaf.certificatePem).serialNumber);
        assert.equal(facts.spkiSha256, publicKeySha256(leaf.certificatePem));
        assert.deepEqual([facts.notBefore, facts.notAfter], [leaf.notBefore, leaf.notAfter]);
        assert.ok(leaf.notAfter.getTime() - now.getTime() <= lifetimeMs);
      }),
      { numRuns: 50 },
    );
  });

  test('never lives outside its authority’s life', () => {
    const leaf = issueLeaf(authority, { ...request, lifetimeMs: 1000 * hour });
    assert.deepEqual(leaf.notAfter, authority.notAfter);
    const early = issueLeaf(authorityAt(now), { ...request, now: new Date(now.getTime() - 60_000) });
    assert.deepEqual(early.notBefore, authority.notBefore);
  });

  test('is refused by an authority that has ended or not begun', () => {
    refused('authority-expired', { now: authority.notAfter });
    refused('authority-not-yet-valid', { now: new Date(authority.notBefore.getTime() - 1) });
  });

  test('carries the addresses it was asked for', () => {
    const ipAddresses = ['10.1.2.3', '::1', 'fd00::12:0:0:1', '::ffff:10.0.0.1'];
    const { certificatePem } = issueLeaf(authority, { ...request, ipAddresses });
    const certificate = new X509Certificate(certificatePem);
    for (const address of ipAddresses) assert.equal(certificate.checkIP(address), address);
    assert.equal(certificate.checkIP('10.1.2.4'), undefined);
    assert.deepEqual(readCertificate(certificatePem).dnsNames, []);
  });

  test('carries the serial number it was given, and a fresh one else', () => {
    const fixed = issueLeaf(authority, { ...request, serial: '0a0b' });
    assert.equal(fixed.serialHex, '0A0B');
    assert.equal(readCertificate(fixed.certificatePem).serialHex, '0A0B');
    const serials = Array.from({ length: 50 }, () => issueLeaf(authority, request).serialHex);
    assert.equal(new Set(serials).size, 50);
    for (const serial of serials) assert.match(serial, /^[4-7][0-9A-F]{31}$/);
  });

  test('is refused where the request is wrong, with the reason', () => {
    refused('usages-missing', { usages: [] });
    refused('lifetime-invalid', { lifetimeMs: 0 });
    refused('lifetime-invalid', { lifetimeMs: Number.NaN });
    refused('lifetime-invalid', { now: new Date('never') });
    refused('subject-invalid', { subject: { commonName: '' } });
    refused('subject-invalid', { subject: { commonName: 'x'.repeat(65) } });
    refused('subject-invalid', { subject: { commonName: 'a', organization: 'b\nc' } });
    for (const name of [
      '',
      'a..b',
      '-a',
      'a b',
      'x'.repeat(64),
      'é.example',
      'a.*.b',
      `${'a.'.repeat(127)}a`,
    ]) {
      refused('name-invalid', { dnsNames: [name] });
    }
    for (const address of ['', '1.2.3', '::1%eth0', 'localhost']) {
      refused('address-invalid', { ipAddresses: [address] });
    }
    for (const serial of ['', '0', '00', '80', '0x1', 'zz', '00ff', '11'.repeat(21)]) {
      refused('serial-invalid', { serial });
    }
  });
});
