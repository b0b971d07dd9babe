import {
  type Usage,
  createAuthority,
  isIssuedBy,
  issueLeaf,
  readCertificate,
  renewAt,
} from '../../certs/index.ts';

/** A certificate and its key, in PEM. */
export interface Pair {
  certificatePem: string;
  privateKeyPem: string;
}

/** Everything that the Secret of an identity holds. */
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

/** What a certificate is for. */
export interface Purpose {
  commonName: string;
  usage: Usage;
  /** From the moment in which a new authority is seen to be trusted until it signs. */
  settleMs: number;
}

export interface Facts {
  now: Date;
  /** By default that of the serving certificate. */
  purpose?: Purpose;
  /** Names that the leaf has to be valid for; the first is how the API server calls. None for a client. */
  dnsNames: readonly string[];
  /** Since when everybody is seen to trust all of `trustOf(serving)`; undefined: not yet. */
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

/** Reviews come by one certificate, questions to the sidecars go by the other. Neither authority signs for both. */
export const purposes = {
  serving: { commonName: 'kafka-warden-webhook', usage: 'server', settleMs: times.settleMs },
  // Sidecars learn of an authority by being started anew.
  client: { commonName: 'kafka-warden-webhook-client', usage: 'client', settleMs: 5 * 60_000 },
} as const satisfies Record<string, Purpose>;

const isDue = (pem: string, now: Date): boolean => renewAt(readCertificate(pem)) <= now;

function newAuthority({ now, purpose = purposes.serving }: Facts): Pair {
  // The time tells two authorities apart: peers find the issuer by its name.
  const commonName = `${purpose.commonName} ${now.toISOString()}`;
  const subject = { commonName, organization: 'kafka-warden' };
  const authority = createAuthority({ subject, now, lifetimeMs: times.authorityLifeMs });
  return { certificatePem: authority.certificatePem, privateKeyPem: authority.privateKeyPem };
}

function newLeaf(authority: Pair, { now, dnsNames, purpose = purposes.serving }: Facts): Pair {
  const subject = { commonName: purpose.commonName, organization: 'kafka-warden' };
  const leaf = issueLeaf(authority, {
    subject,
    dnsNames,
    usages: [purpose.usage],
    now,
    lifetimeMs: times.leafLifeMs,
  });
  return { certificatePem: leaf.chainPem, privateKeyPem: leaf.privateKeyPem };
}

const trustedBy = ({ authority, next, previousPem }: Serving): string[] =>
  [authority.certificatePem, next?.certificatePem, previousPem]
    .filter((pem) => pem !== undefined)
    .map((pem) => `${pem.trim()}\n`);

/** What callers have to trust: the bundle for `caBundle`, in a stable order. */
export const trustOf = (serving: Serving): string => trustedBy(serving).join('');

/** The same authorities in an order that does not depend on which of them signs: a change of it costs sidecars a restart. */
export const authoritiesOf = (serving: Serving): string => trustedBy(serving).sort().join('');

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
  const { now } = facts;
  if (!serving) return { serving: fresh(facts), reason: 'no certificate yet' };
  const { authority, next, previousPem, leaf, since } = serving;
  if (!next && !isUsable(serving, facts)) return repaired(serving, facts);
  if (next) {
    const expired = readCertificate(authority.certificatePem).notAfter <= now;
    if (!expired && !isSettled(facts)) return renewed(serving, facts);
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
      serving: { authority, leaf, next: newAuthority(facts), since: now },
      reason: 'the authority is due',
    };
  return renewed(serving, facts);
}

const isSettled = ({ now, injectedSince, purpose = purposes.serving }: Facts): boolean =>
  injectedSince !== undefined && now.getTime() - injectedSince.getTime() >= purpose.settleMs;

/** A new leaf of the same authority, where the present one is due; one that waits for its successor still signs. */
function renewed(serving: Serving, facts: Facts): Step | undefined {
  const { authority, leaf, since } = serving;
  if (!isDue(leaf.certificatePem, facts.now)) return undefined;
  return {
    serving: { ...serving, leaf: newLeaf(authority, facts), since: serving.next ? since : facts.now },
    reason: 'the leaf is due',
  };
}

function fresh(facts: Facts): Serving {
  const authority = newAuthority(facts);
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
