import { createHmac } from 'node:crypto';
import {
  type Authority,
  type Leaf,
  issueLeaf,
  keystore,
  nodeSubject,
  publicKeySha256,
  renewAt,
  truststore,
} from '../../../certs/index.ts';
import { group } from '../../names.ts';
import { base64, entryOf, type Secret } from '../objects.ts';
import { type Issued, type IssuedPod, type IssuedStore, digestOf, parseIssued } from './issued.ts';

export const issuedAnnotation = `${group}/issued`;

/** A pod with every name and address that its certificates are to have. */
export interface NamedPod {
  readonly pod: string;
  readonly dnsNames: readonly string[];
  readonly ipAddresses?: readonly string[];
}

/** What the stores of one StatefulSet should be. */
export interface KeysRequest {
  readonly authority: Authority;
  /** The Secret's own name: two Secrets never share a password. */
  readonly name: string;
  readonly pods: readonly NamedPod[];
  readonly now: Date;
  /** Whether the pods read PEM files; PKCS#12 stores are made in any case. */
  readonly pem?: boolean;
  /** All leaves are issued anew once for each farewell. */
  readonly farewell?: string | undefined;
}

export interface KeysContent {
  readonly data: Record<string, string>;
  readonly issued: Issued;
  /** Pods whose stores differ from what the Secret held. */
  readonly changed: readonly string[];
  /** Names of entries that somebody else had changed, and that were put right. */
  readonly repaired: readonly string[];
}

const yearMs = 365 * 24 * 3_600_000;

/**
 * The password of a Secret's stores: derived from the authority's key, so that it is as random as the key, stays the
 * same when the Secret is lost or edited (running brokers remember the one they started with), and stands nowhere else.
 */
export function storePassword(authority: Pick<Authority, 'privateKeyPem'>, secretName: string): string {
  const bytes = createHmac('sha512', authority.privateKeyPem)
    .update(`kafka-warden stores ${secretName}`)
    .digest();
  return bytes.toString('base64').replace(/[+/=]/g, '').slice(0, 40);
}

/**
 * The entries of a keys Secret: what is sound is kept byte for byte; a leaf is issued anew when two thirds of its
 * life have passed, when a name is missing from it, when its authority is another one, or when its store was edited.
 * Entries of pods that are not asked for are kept. Throws as `issueLeaf` does.
 */
export function keysContent(request: KeysRequest, existing: Secret | undefined): KeysContent {
  const password = storePassword(request.authority, request.name);
  const authority = publicKeySha256(request.authority.certificatePem);
  const record = parseIssued(existing?.metadata.annotations?.[issuedAnnotation]);
  const sameAuthority = record?.authority === authority && record.password === digestOf(password);
  const sound = sameAuthority ? record : undefined;
  const trust = trustedStore(request.authority, password, { existing, sound });
  const forFarewell = request.farewell !== undefined && record?.farewell !== request.farewell;
  const stores = podStores(request, password, { existing, sound, forFarewell });
  return {
    data: {
      ...existing?.data,
      password: base64(password),
      'nodes.p12': base64(trust.bytes),
      ...(request.pem === true ? { 'nodes.pem': base64(request.authority.certificatePem) } : {}),
      ...stores.entries,
    },
    issued: {
      schema: 1,
      authority,
      trust: digestOf(trust.bytes),
      password: digestOf(password),
      pods: { ...sound?.pods, ...stores.facts },
      farewell: request.farewell ?? record?.farewell,
    },
    changed: Object.keys(stores.facts),
    repaired: [
      ...(isOther(existing, password) ? ['password'] : []),
      ...trust.repaired,
      ...pemTrustRepaired(request, existing),
      ...stores.repaired,
    ],
  };
}

interface Known {
  readonly existing: Secret | undefined;
  /** The record, where it is about this authority. */
  readonly sound: Issued | undefined;
  readonly forFarewell: boolean;
}

/** The stores that are to be made, and nothing of those that are kept. */
function podStores(request: KeysRequest, password: string, { existing, sound, forFarewell }: Known) {
  const entries: Record<string, string> = {};
  const facts: Record<string, IssuedPod> = {};
  const repaired: string[] = [];
  for (const wanted of request.pods) {
    const known = sound?.pods[wanted.pod];
    const edited = known === undefined ? [] : editedStores(wanted.pod, known, existing);
    repaired.push(...edited);
    const kept = known !== undefined && edited.length === 0 && !forFarewell;
    const current = kept && !isDue(known, namesOf(wanted), request.now);
    if (current && !lacksPem(request, known)) continue;
    const made = current ? issuePem(request, wanted, known) : issuePod(request, wanted, password);
    Object.assign(entries, made.entries);
    facts[wanted.pod] = made.facts;
  }
  return { entries, facts, repaired };
}

function isOther(existing: Secret | undefined, password: string): boolean {
  const held = entryOf(existing, 'password')?.toString('utf8');
  return existing?.metadata.annotations?.[issuedAnnotation] !== undefined && held !== password;
}

function trustedStore(
  authority: Authority,
  password: string,
  { existing, sound }: Pick<Known, 'existing' | 'sound'>,
): { bytes: Buffer; repaired: string[] } {
  const held = entryOf(existing, 'nodes.p12');
  if (held !== undefined && sound?.trust === digestOf(held)) return { bytes: held, repaired: [] };
  const bytes = truststore([{ alias: 'nodes', certificatePem: authority.certificatePem }], password);
  return { bytes, repaired: sound === undefined ? [] : ['nodes.p12'] };
}

const namesOf = ({ dnsNames, ipAddresses = [] }: NamedPod): string[] => [...dnsNames, ...ipAddresses];

const lacksPem = ({ pem }: KeysRequest, { node, controller }: IssuedPod): boolean =>
  pem === true && (node.pem === undefined || controller.pem === undefined);

interface Made {
  readonly entries: Record<string, string>;
  readonly facts: IssuedPod;
}

const issue = ({ authority, now }: KeysRequest, { dnsNames, ipAddresses = [] }: NamedPod): Leaf =>
  issueLeaf(authority, {
    ...{ subject: nodeSubject, dnsNames, ipAddresses, now },
    ...{ usages: ['server', 'client'], lifetimeMs: yearMs },
  });

function issuePod(request: KeysRequest, wanted: NamedPod, password: string): Made {
  const { pod } = wanted;
  const leaves = { node: issue(request, wanted), controller: issue(request, wanted) };
  const node = stored(leaves.node, pod, password);
  const controller = stored(leaves.controller, pod, password);
  const made: Made = {
    entries: { [`${pod}.p12`]: base64(node.bytes), [`${pod}.controller.p12`]: base64(controller.bytes) },
    facts: { node: node.facts, controller: controller.facts, names: namesOf(wanted) },
  };
  return request.pem === true ? withPem(pod, made, leaves) : made;
}

/** A store cannot be opened again to take its leaf out: the PEM form gets one of its own, replaced together with it. */
function issuePem(request: KeysRequest, wanted: NamedPod, facts: IssuedPod): Made {
  const leaves = { node: issue(request, wanted), controller: issue(request, wanted) };
  return withPem(wanted.pod, { entries: {}, facts }, leaves);
}

function withPem(pod: string, { entries, facts }: Made, leaves: { node: Leaf; controller: Leaf }): Made {
  const node = leaves.node.privateKeyPem + leaves.node.chainPem;
  const controller = leaves.controller.privateKeyPem + leaves.controller.chainPem;
  return {
    entries: {
      ...entries,
      [`${pod}.pem`]: base64(node),
      [`${pod}.controller.pem`]: base64(controller),
    },
    facts: {
      ...facts,
      node: { ...facts.node, pem: digestOf(node) },
      controller: { ...facts.controller, pem: digestOf(controller) },
    },
  };
}

function editedStores(pod: string, known: IssuedPod, existing: Secret | undefined): string[] {
  const entries = [
    { key: `${pod}.p12`, digest: known.node.digest },
    { key: `${pod}.controller.p12`, digest: known.controller.digest },
    { key: `${pod}.pem`, digest: known.node.pem },
    { key: `${pod}.controller.pem`, digest: known.controller.pem },
  ];
  return entries
    .filter(({ key, digest }) => {
      if (digest === undefined) return false;
      const bytes = entryOf(existing, key);
      return bytes === undefined || digestOf(bytes) !== digest;
    })
    .map(({ key }) => key);
}

/** The trusted certificate is public and always the same: what is there and differs was edited. */
function pemTrustRepaired({ pem, authority }: KeysRequest, existing: Secret | undefined): string[] {
  const held = entryOf(existing, 'nodes.pem')?.toString('utf8');
  return pem === true && held !== undefined && held !== authority.certificatePem ? ['nodes.pem'] : [];
}

/** When a store's leaf is to be replaced in the Secret. */
export const storeRenewAt = ({ notBefore, notAfter }: IssuedStore): Date =>
  renewAt({ notBefore: new Date(notBefore), notAfter: new Date(notAfter) });

function isDue(known: IssuedPod, names: readonly string[], now: Date): boolean {
  const lacking = names.some((name) => !known.names.includes(name));
  return lacking || [known.node, known.controller].some((store) => now >= storeRenewAt(store));
}

function stored(leaf: Leaf, alias: string, password: string): { bytes: Buffer; facts: IssuedStore } {
  const bytes = keystore({ ...leaf, password, alias });
  const facts = {
    digest: digestOf(bytes),
    notBefore: leaf.notBefore.toISOString(),
    notAfter: leaf.notAfter.toISOString(),
    serialHex: leaf.serialHex,
  };
  return { bytes, facts };
}
