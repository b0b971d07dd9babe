import { createAuthority, isIssuedBy, issueLeaf, readCertificate, renewAt } from '../../certs/index.ts';

/** A certificate and its key, in PEM. */
export interface Pair {
  certificatePem: string;
  privateKeyPem: string;
}

/** Everything that the serving Secret holds. */
export interface Serving {
  authority: Pair;
  leaf: Pair;
  /** The authority to come: already to be trusted, not yet used. */
  next?: Pair;
  /** The authority of before: no longer used, still trusted. */
  previousPem?: string;
  /** When the present step began. */
  since: Date;
}

export interface Facts {
  now: Date;
  /** Names that the leaf has to be valid for; the first is how the API server calls. */
  dnsNames: readonly string[];
  /** Since when both webhook configurations are seen to trust everything in `trustOf(serving)`; undefined: not yet. */
  injectedSince: Date | undefined;
}

const dayMs = 24 * 60 * 60_000;
/** Lives and waits, in milliseconds; see `advance`. */
export const times = {
  authorityLifeMs: 730 * dayMs,
  leafLifeMs: 90 * dayMs,
  /** API servers learn of a changed configuration by their own watches. */
  settleMs: 60_000,
  /** Replicas learn of a new leaf by theirs; a restarted API server may hold an old configuration for a moment. */
  overlapMs: 60 * 60_000,
};

const isDue = (pem: string, now: Date): boolean => renewAt(readCertificate(pem)) <= now;

function newAuthority(now: Date): Pair {
  // The time tells two authorities apart: peers find the issuer by its name.
  const subject = { commonName: `kafka-warden-webhook ${now.toISOString()}`, organization: 'kafka-warden' };
  const authority = createAuthority({ subject, now, lifetimeMs: times.authorityLifeMs });
  return { certificatePem: authority.certificatePem, privateKeyPem: authority.privateKeyPem };
}

function newLeaf(authority: Pair, { now, dnsNames }: Facts): Pair {
  const subject = { commonName: 'kafka-warden-webhook', organization: 'kafka-warden' };
  const leaf = issueLeaf(authority, {
    subject,
    dnsNames,
    usages: ['server'],
    now,
    lifetimeMs: times.leafLifeMs,
  });
  return { certificatePem: leaf.chainPem, privateKeyPem: leaf.privateKeyPem };
}

/** What callers have to trust: the bundle for `caBundle`, in a stable order. */
export const trustOf = ({ authority, next, previousPem }: Serving): string =>
  [authority.certificatePem, next?.certificatePem, previousPem]
    .filter((pem) => pem !== undefined)
    .map((pem) => `${pem.trim()}\n`)
    .join('');

function isUsable({ authority, leaf }: Serving, { now, dnsNames }: Facts): boolean {
  const facts = readCertificate(leaf.certificatePem);
  return (
    isIssuedBy(leaf.certificatePem, authority.certificatePem) &&
    facts.notAfter > now &&
    readCertificate(authority.certificatePem).notAfter > now &&
    dnsNames.every((name) => facts.dnsNames.includes(name))
  );
}

export interface Step {
  serving: Serving;
  /** For the log. */
  reason: string;
}

/**
 * The next step of the serving certificate's life, or undefined while there is nothing to do. An authority is changed
 * in three steps, each visible everywhere before the next one: the new one is trusted; `settleMs` after that is seen in
 * the configurations, the leaf is issued by it; `overlapMs` later the old one is dropped. A leaf alone is replaced at once.
 */
export function advance(serving: Serving | undefined, facts: Facts): Step | undefined {
  const { now, injectedSince } = facts;
  if (!serving) return { serving: fresh(facts), reason: 'no certificate yet' };
  const { authority, next, previousPem, leaf, since } = serving;
  if (!next && !isUsable(serving, facts)) return repaired(serving, facts);
  if (next) {
    if (!injectedSince || now.getTime() - injectedSince.getTime() < times.settleMs) return undefined;
    const swapped = {
      authority: next,
      leaf: newLeaf(next, facts),
      previousPem: authority.certificatePem,
      since: now,
    };
    return { serving: swapped, reason: 'the new authority is trusted: the leaf is issued by it' };
  }
  if (previousPem) {
    if (now.getTime() - since.getTime() < times.overlapMs) return undefined;
    return { serving: { authority, leaf, since: now }, reason: 'the old authority is no longer needed' };
  }
  if (isDue(authority.certificatePem, now))
    return {
      serving: { authority, leaf, next: newAuthority(now), since: now },
      reason: 'the authority is due',
    };
  if (isDue(leaf.certificatePem, now))
    return {
      serving: { ...serving, leaf: newLeaf(authority, facts), since: now },
      reason: 'the leaf is due',
    };
  return undefined;
}

function fresh(facts: Facts): Serving {
  const authority = newAuthority(facts.now);
  return { authority, leaf: newLeaf(authority, facts), since: facts.now };
}

/** A new leaf where the authority still serves, for example for other names; else everything anew. */
function repaired(serving: Serving, facts: Facts): Step {
  if (readCertificate(serving.authority.certificatePem).notAfter <= facts.now)
    return { serving: fresh(facts), reason: 'the authority has expired' };
  return {
    serving: { ...serving, leaf: newLeaf(serving.authority, facts), since: facts.now },
    reason: 'the leaf does not fit its authority, its names, or the time',
  };
}
