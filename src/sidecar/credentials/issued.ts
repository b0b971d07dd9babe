import { createHash } from 'node:crypto';
import { z } from 'zod';

/** What is recorded, without secrets, of one store in a keys Secret. */
export interface IssuedStore {
  /** SHA-256 of the store's bytes, base64url: tells a store that was edited by hand. */
  readonly digest: string;
  /** The same of the PEM form, where there is one. */
  readonly pem?: string | undefined;
  readonly notBefore: string;
  readonly notAfter: string;
  readonly serialHex: string;
}

export interface IssuedPod {
  readonly node: IssuedStore;
  readonly controller: IssuedStore;
  readonly names: readonly string[];
}

/** The annotation `kafka-warden.io/issued` of a keys Secret. */
export interface Issued {
  readonly schema: 1;
  /** SHA-256 of the authority's public key. */
  readonly authority: string;
  readonly trust: string;
  readonly password: string;
  readonly pods: Readonly<Record<string, IssuedPod>>;
  /** The farewell for which all leaves were issued anew. */
  readonly farewell?: string | undefined;
}

const store = z.object({
  digest: z.string(),
  pem: z.string().optional(),
  notBefore: z.string(),
  notAfter: z.string(),
  serialHex: z.string(),
});
const schema = z.object({
  schema: z.literal(1),
  authority: z.string(),
  trust: z.string(),
  password: z.string(),
  pods: z.record(z.string(), z.object({ node: store, controller: store, names: z.array(z.string()) })),
  farewell: z.string().optional(),
});

/** Undefined where there is no record that can be read; everything is then issued anew. */
export function parseIssued(text: string | undefined): Issued | undefined {
  if (text === undefined) return undefined;
  try {
    return schema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

export const digestOf = (bytes: Buffer | string): string =>
  createHash('sha256').update(bytes).digest('base64url');
