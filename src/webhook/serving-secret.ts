import { loadAuthority } from '../../certs/index.ts';
import type { ObjectMeta } from '../kubernetes/object.ts';
import { managedBy } from '../names.ts';
import type { Serving } from './serving-certificate.ts';
import { trustOf } from './serving-certificate.ts';
import { installation } from './settings.ts';

export interface Secret {
  apiVersion?: string;
  kind?: string;
  metadata: ObjectMeta;
  type?: string;
  data?: Record<string, string>;
}

const encode = (text: string): string => Buffer.from(text).toString('base64');
const decode = (text: string | undefined): string => Buffer.from(text ?? '', 'base64').toString('utf8');

/** The Secret that holds an identity; `present` lends its metadata where it is replaced. */
export function secretOf(
  serving: Serving,
  namespace: string,
  present?: Secret,
  name: string = installation.servingSecret,
): Secret {
  const { authority, leaf, next, previousPem, since } = serving;
  const texts: Record<string, string | undefined> = {
    'ca.crt': authority.certificatePem,
    'ca.key': authority.privateKeyPem,
    'tls.crt': leaf.certificatePem,
    'tls.key': leaf.privateKeyPem,
    'next.crt': next?.certificatePem,
    'next.key': next?.privateKeyPem,
    'previous.crt': previousPem,
    'trust.crt': trustOf(serving),
    since: since.toISOString(),
  };
  const data = Object.entries(texts).flatMap(([key, text]) =>
    text === undefined ? [] : [[key, encode(text)]],
  );
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: {
      ...present?.metadata,
      name,
      namespace,
      labels: { ...present?.metadata.labels, ...managedBy },
    },
    type: present?.type ?? 'Opaque',
    data: Object.fromEntries(data) as Record<string, string>,
  };
}

/** The identity that a Secret holds; undefined where it is not whole, or keys and certificates do not fit. */
export function servingOf(secret: Secret | undefined): Serving | undefined {
  const { data } = secret ?? {};
  if (!data) return undefined;
  const pair = (name: string) => ({
    certificatePem: decode(data[`${name}.crt`]),
    privateKeyPem: decode(data[`${name}.key`]),
  });
  try {
    const authority = loadAuthority(pair('ca'));
    const since = new Date(decode(data['since']));
    const { certificatePem, privateKeyPem } = authority;
    return {
      authority: { certificatePem, privateKeyPem },
      leaf: pair('tls'),
      since: Number.isNaN(since.getTime()) ? new Date(0) : since,
      ...(data['next.crt'] ? { next: pair('next') } : {}),
      ...(data['previous.crt'] ? { previousPem: decode(data['previous.crt']) } : {}),
    };
  } catch {
    return undefined;
  }
}
