import { createAuthority, issueLeaf, publicKeySha256, type Usage } from '../../../certs/index.ts';
import type { Pair } from '../serving-certificate.ts';

const now = new Date();
const lifetimeMs = 86_400_000;

export const authority = (commonName: string) =>
  createAuthority({ subject: { commonName }, now, lifetimeMs });

/** A leaf of an authority, as it is presented. */
export function leafOf(
  by: { certificatePem: string; privateKeyPem: string },
  usages: readonly Usage[],
  dnsNames: readonly string[] = [],
): Pair {
  const leaf = issueLeaf(by, { subject: { commonName: 'somebody' }, dnsNames, usages, now, lifetimeMs });
  return { certificatePem: leaf.chainPem, privateKeyPem: leaf.privateKeyPem };
}

export const servingKeyOf = ({ certificatePem }: Pair): string => publicKeySha256(certificatePem);
