import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isIssuedBy, readCertificate } from '../../certs/index.ts';
import { secretOf, servingOf } from './serving-secret.ts';
import {
  advance,
  authoritiesOf,
  purposes,
  times,
  trustOf,
  type Facts,
  type Serving,
} from './serving-certificate.ts';

const dnsNames = ['kafka-warden.kafka-warden.svc'];
const start = new Date('2030-01-01T00:00:00Z');
const after = (ms: number, from = start) => new Date(from.getTime() + ms);
const facts = (now: Date, injectedSince?: Date) => ({ now, dnsNames, injectedSince });

function must(serving: Serving | undefined, now: Date, injectedSince?: Date): Serving {
  const step = advance(serving, facts(now, injectedSince));
  assert.ok(step, 'a step was expected');
  return step.serving;
}

const fresh = must(undefined, start);
const dueAt = after((times.authorityLifeMs * 2) / 3);

/** A serving certificate of which the authority, and not the leaf, is due. */
function withFreshLeaf(now: Date): Serving {
  const leafDue = advance({ ...fresh, since: now }, facts(after(-1, dueAt)));
  return leafDue ? leafDue.serving : fresh;
}

test('the first certificate is for the Service, and trusted by its own authority alone', () => {
  assert.deepEqual(readCertificate(fresh.leaf.certificatePem).dnsNames, dnsNames);
  assert.ok(isIssuedBy(fresh.leaf.certificatePem, fresh.authority.certificatePem));
  assert.equal(trustOf(fresh), fresh.authority.certificatePem);
  assert.equal(advance(fresh, facts(after(1_000))), undefined);
});

test('a leaf is renewed at two thirds of its life, by the same authority', () => {
  const life = times.leafLifeMs;
  assert.equal(advance(fresh, facts(after(life * 0.6))), undefined);
  const renewed = must(fresh, after(life * 0.7));
  assert.notEqual(renewed.leaf.certificatePem, fresh.leaf.certificatePem);
  assert.equal(trustOf(renewed), trustOf(fresh));
});

test('an authority is changed in three steps, and what is presented is trusted in each', () => {
  const before = withFreshLeaf(dueAt);
  const introduced = must(before, after(1_000, dueAt));
  assert.deepEqual(introduced.leaf, before.leaf);
  assert.ok(trustOf(introduced).includes(before.authority.certificatePem));
  assert.ok(introduced.next && trustOf(introduced).includes(introduced.next.certificatePem));

  const injectedAt = after(5_000, dueAt);
  assert.equal(
    advance(introduced, facts(after(86_400_000, dueAt))),
    undefined,
    'never swapped before it is injected',
  );
  assert.equal(advance(introduced, facts(after(times.settleMs - 1, injectedAt), injectedAt)), undefined);
  const swappedAt = after(times.settleMs, injectedAt);
  const swapped = must(introduced, swappedAt, injectedAt);
  assert.ok(isIssuedBy(swapped.leaf.certificatePem, introduced.next.certificatePem));
  assert.equal(swapped.previousPem, before.authority.certificatePem);
  for (const leaf of [before.leaf, swapped.leaf])
    assert.ok(
      [swapped.authority.certificatePem, swapped.previousPem].some((pem) =>
        isIssuedBy(leaf.certificatePem, pem),
      ),
      'replicas that have not seen the new leaf yet are still trusted',
    );

  assert.equal(advance(swapped, facts(after(times.overlapMs - 1, swappedAt))), undefined);
  const dropped = must(swapped, after(times.overlapMs, swappedAt));
  assert.equal(trustOf(dropped), swapped.authority.certificatePem);
  assert.equal(advance(dropped, facts(after(times.overlapMs + 1, swappedAt))), undefined);
});

test('a leaf for other names, or an expired one, is replaced at once', () => {
  const moved = advance(fresh, { ...facts(after(1)), dnsNames: ['kafka-warden.elsewhere.svc'] });
  assert.deepEqual(readCertificate(moved?.serving.leaf.certificatePem ?? '').dnsNames, [
    'kafka-warden.elsewhere.svc',
  ]);
  const late = must(fresh, after(times.leafLifeMs + 1));
  assert.ok(readCertificate(late.leaf.certificatePem).notAfter > after(times.leafLifeMs + 1));
});

test('an expired authority is replaced at once: nothing can be trusted any more', () => {
  const late = must(fresh, after(times.authorityLifeMs + 1));
  assert.notEqual(late.authority.certificatePem, fresh.authority.certificatePem);
});

test('a serving certificate survives its Secret', () => {
  const introduced = must(withFreshLeaf(dueAt), after(1_000, dueAt));
  assert.deepEqual(servingOf(secretOf(introduced, 'kafka-warden')), introduced);
});

test('a Secret that is broken holds no certificate', () => {
  const secret = secretOf(fresh, 'kafka-warden');
  assert.equal(servingOf(undefined), undefined);
  assert.equal(servingOf({ ...secret, data: {} }), undefined);
  const other = must(undefined, start);
  const mixed = { ...secret.data, 'ca.key': secretOf(other, 'kafka-warden').data?.['ca.key'] ?? '' };
  assert.equal(servingOf({ ...secret, data: mixed }), undefined);
});

test('while a new authority waits to be trusted, the leaf of the old one is still renewed', () => {
  const introduced = must(withFreshLeaf(dueAt), after(1_000, dueAt));
  const later = after(times.leafLifeMs * 0.7, dueAt);
  const renewed = must(introduced, later);
  assert.notEqual(renewed.leaf.certificatePem, introduced.leaf.certificatePem);
  assert.ok(isIssuedBy(renewed.leaf.certificatePem, introduced.authority.certificatePem));
  assert.deepEqual(renewed.next, introduced.next);
  assert.deepEqual(renewed.since, introduced.since);
});

test('an authority that expires before its successor was seen to be trusted is followed by it all the same', () => {
  const introduced = must(withFreshLeaf(dueAt), after(1_000, dueAt));
  const swapped = must(introduced, after(times.authorityLifeMs + 1));
  assert.ok(introduced.next && isIssuedBy(swapped.leaf.certificatePem, introduced.next.certificatePem));
});

test("the client's identity is another one, for asking alone, and without names", () => {
  const client: Facts = { now: start, dnsNames: [], injectedSince: undefined, purpose: purposes.client };
  const serving = advance(undefined, client)?.serving;
  assert.ok(serving);
  assert.match(readCertificate(serving.leaf.certificatePem).subject, /CN=kafka-warden-webhook-client/);
  assert.deepEqual(readCertificate(serving.leaf.certificatePem).dnsNames, []);
  assert.equal(advance(serving, { ...client, now: after(1_000) }), undefined);
});

test('what sidecars are told changes when an authority comes or goes, and not when one signs instead of another', () => {
  const introduced = must(withFreshLeaf(dueAt), after(1_000, dueAt));
  const swappedAt = after(times.settleMs, dueAt);
  const swapped = must(introduced, swappedAt, dueAt);
  assert.notEqual(trustOf(swapped), trustOf(introduced));
  assert.equal(authoritiesOf(swapped), authoritiesOf(introduced));
  const dropped = must(swapped, after(times.overlapMs, swappedAt));
  assert.equal(authoritiesOf(dropped), trustOf(dropped));
});
