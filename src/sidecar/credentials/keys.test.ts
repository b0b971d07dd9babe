import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { before, test } from 'node:test';
import { type Authority, createAuthority } from '../../../certs/index.ts';
import { type Secret, base64 } from '../objects.ts';
import { type KeysContent, type KeysRequest, issuedAnnotation, keysContent, storePassword } from './keys.ts';

const dayMs = 86_400_000;
const now = new Date('2026-06-01T00:00:00Z');
let authority: Authority;
let other: Authority;
before(() => {
  [authority, other] = ['one', 'two'].map((commonName) =>
    createAuthority({ subject: { commonName }, now, lifetimeMs: 3650 * dayMs }),
  ) as [Authority, Authority];
});

const request = (part: Partial<KeysRequest> = {}): KeysRequest => ({
  authority,
  name: 'shop/kafka-kafka-keys',
  pods: ['kafka-0', 'kafka-1'].map((pod) => ({ pod, dnsNames: [pod, `${pod}.kafka.shop.svc`] })),
  now,
  ...part,
});

const stored = ({ data, issued }: KeysContent, edits: Record<string, string> = {}): Secret => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { annotations: { [issuedAnnotation]: JSON.stringify(issued) } },
  data: { ...data, ...edits },
});

test('every pod gets two stores of its own, beside the truststore and the password', () => {
  const { data, changed } = keysContent(request(), undefined);
  const pods = ['kafka-0', 'kafka-1'].flatMap((pod) => [`${pod}.p12`, `${pod}.controller.p12`]);
  assert.deepEqual(Object.keys(data).sort(), [...pods, 'nodes.p12', 'password'].sort());
  assert.deepEqual(changed, ['kafka-0', 'kafka-1']);
  assert.equal(new Set(pods.map((key) => data[key])).size, 4);
});

test('a second pass changes nothing', () => {
  const first = keysContent(request(), undefined);
  const second = keysContent(request(), stored(first));
  assert.deepEqual(second.data, first.data);
  assert.deepEqual(second.issued, first.issued);
  assert.deepEqual(second.changed, []);
  assert.deepEqual(second.repaired, []);
});

test('a leaf is issued anew after two thirds of its life, not before', () => {
  const first = stored(keysContent(request(), undefined));
  const early = keysContent(request({ now: new Date(now.getTime() + 240 * dayMs) }), first);
  assert.deepEqual(early.changed, []);
  const late = keysContent(request({ now: new Date(now.getTime() + 244 * dayMs) }), first);
  assert.deepEqual(late.changed, ['kafka-0', 'kafka-1']);
  assert.equal(late.data['password'], first.data?.['password']);
  assert.equal(late.data['nodes.p12'], first.data?.['nodes.p12']);
});

test('a name that is missing from a leaf is a reason to issue it; one too many is not', () => {
  const first = stored(keysContent(request(), undefined));
  const more = [{ pod: 'kafka-0', dnsNames: ['kafka-0', 'kafka-0.kafka.shop.svc', 'extra.shop.svc'] }];
  assert.deepEqual(keysContent(request({ pods: more }), first).changed, ['kafka-0']);
  const fewer = [{ pod: 'kafka-0', dnsNames: ['kafka-0'] }];
  assert.deepEqual(keysContent(request({ pods: fewer }), first).changed, []);
});

test('entries of pods that are not asked for, and records of disks, are kept', () => {
  const first = stored(keysContent(request(), undefined), { 'kafka-1.formatted': base64('uid') });
  const second = keysContent(request({ pods: request().pods.slice(0, 1) }), first);
  assert.deepEqual(second.data, first.data);
  assert.deepEqual(second.changed, []);
});

test('an edited store is issued anew, and nothing else', () => {
  const first = keysContent(request(), undefined);
  const second = keysContent(request(), stored(first, { 'kafka-1.p12': base64('junk') }));
  assert.deepEqual(second.repaired, ['kafka-1.p12']);
  assert.deepEqual(second.changed, ['kafka-1']);
  assert.equal(second.data['kafka-0.p12'], first.data['kafka-0.p12']);
});

test('an edited password comes back as it was, so that no running broker is left with another one', () => {
  const first = keysContent(request(), undefined);
  const second = keysContent(request(), stored(first, { password: base64('hand-made') }));
  assert.deepEqual(second.data, first.data);
  assert.deepEqual(second.repaired, ['password']);
  const anew = keysContent(request(), undefined);
  assert.equal(anew.data['password'], first.data['password']);
});

test('passwords differ by Secret and by authority, and the recorded facts tell none', () => {
  const one = storePassword(authority, 'shop/a-kafka-keys');
  assert.notEqual(one, storePassword(authority, 'shop/b-kafka-keys'));
  assert.notEqual(one, storePassword(other, 'shop/a-kafka-keys'));
  assert.match(one, /^[A-Za-z0-9]{40}$/);
  const { issued, data } = keysContent(request(), undefined);
  assert.ok(!JSON.stringify(issued).includes(Buffer.from(data['password']!, 'base64').toString()));
});

test('without its record everything is issued anew under the same password', () => {
  const first = stored(keysContent(request(), undefined));
  const second = keysContent(request(), { ...first, metadata: {} });
  assert.deepEqual(second.changed, ['kafka-0', 'kafka-1']);
  assert.equal(second.data['password'], first.data?.['password']);
});

test('a farewell issues every leaf once', () => {
  const first = stored(keysContent(request(), undefined));
  const second = keysContent(request({ farewell: 'a' }), first);
  assert.deepEqual(second.changed, ['kafka-0', 'kafka-1']);
  assert.deepEqual(keysContent(request({ farewell: 'a' }), stored(second)).changed, []);
  assert.deepEqual(keysContent(request(), stored(second)).changed, []);
  assert.deepEqual(keysContent(request({ farewell: 'b' }), stored(second)).changed, ['kafka-0', 'kafka-1']);
});

test('pods that read PEM files get the same lives in that form, beside the stores', () => {
  const { data, issued } = keysContent(request({ pem: true }), undefined);
  const text = (key: string) => Buffer.from(data[key] ?? '', 'base64').toString();
  for (const key of ['kafka-0.pem', 'kafka-1.pem', 'kafka-0.controller.pem', 'kafka-1.controller.pem']) {
    assert.match(text(key), /^-----BEGIN PRIVATE KEY-----/);
    assert.equal(text(key).match(/BEGIN CERTIFICATE/g)?.length, 2);
  }
  const leaf = new X509Certificate(text('kafka-0.pem').slice(text('kafka-0.pem').indexOf('-----BEGIN CERT')));
  assert.equal(leaf.serialNumber, issued.pods['kafka-0']?.node.serialHex);
  assert.equal(text('nodes.pem'), authority.certificatePem);
  const second = keysContent(request({ pem: true }), stored({ data, issued } as KeysContent));
  assert.deepEqual(second.data, data);
  assert.deepEqual(second.changed, []);
});

test('PEM files can be added to stores that stay as they are', () => {
  const first = keysContent(request(), undefined);
  const second = keysContent(request({ pem: true }), stored(first));
  assert.equal(second.data['kafka-0.p12'], first.data['kafka-0.p12']);
  assert.ok(second.data['kafka-0.pem']);
  assert.deepEqual(second.repaired, []);
  assert.deepEqual(keysContent(request({ pem: true }), stored(second)).changed, []);
});

test('an edited PEM file is issued anew, and nothing else', () => {
  const first = keysContent(request({ pem: true }), undefined);
  const edits = { 'kafka-1.controller.pem': base64('junk'), 'nodes.pem': base64('junk') };
  const second = keysContent(request({ pem: true }), stored(first, edits));
  assert.deepEqual(second.repaired, ['nodes.pem', 'kafka-1.controller.pem']);
  assert.deepEqual(second.changed, ['kafka-1']);
  assert.equal(second.data['kafka-0.pem'], first.data['kafka-0.pem']);
  assert.equal(second.data['nodes.pem'], first.data['nodes.pem']);
});

test('an address that is missing from a leaf is a reason to issue it', () => {
  const pods = (ipAddresses: string[]) => [{ pod: 'kafka-0', dnsNames: ['kafka-0'], ipAddresses }];
  const first = keysContent(request({ pods: pods(['192.0.2.7']) }), undefined);
  assert.deepEqual(keysContent(request({ pods: pods(['192.0.2.7']) }), stored(first)).changed, []);
  assert.deepEqual(keysContent(request({ pods: pods(['192.0.2.8']) }), stored(first)).changed, ['kafka-0']);
});
