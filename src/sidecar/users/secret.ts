import { createHash } from 'node:crypto';
import { password as newPassword, truststore } from '../../../certs/index.ts';
import { apiVersion, group, keys, managedBy, userSecretOf } from '../../names.ts';
import { type Secret, base64, entryOf } from '../objects.ts';
import { type KafkaUser, usernameOf } from './kafka-user.ts';

/** What a user's Secret is made of. */
export interface UserSecretRequest {
  readonly user: KafkaUser;
  readonly cluster: string;
  readonly bootstrap: string;
  /** The authority that clients trust. */
  readonly caPem: string;
}

/** Annotation: SHA-256 of the password that Kafka was last given; tells a password that was changed in the Secret. */
export const credentialAnnotation = `${group}/credential`;
const contentAnnotation = `${group}/content`;

/** Where `client.properties` expects the Secret to be mounted. */
export const mountPath = '/etc/kafka-user';

export const credentialDigest = (password: string): string =>
  createHash('sha256').update(password).digest('base64url');

/** Whether a Secret of that name is this user's. */
export const belongsTo = (secret: Secret, user: KafkaUser): boolean =>
  (secret.metadata.ownerReferences ?? []).some(({ uid }) => uid === user.metadata.uid);

/** The password that is in force: the one that the Secret has, if it can be used, else a new one. */
export function passwordOf(secret: Secret | undefined): string {
  const held = entryOf(secret, 'password')?.toString('utf8');
  return held !== undefined && /^[\x21-\x7e]{8,256}$/.test(held) && !/["\\]/.test(held)
    ? held
    : newPassword();
}

/** The whole Secret. Returns the existing one itself when nothing in it would differ. */
export function userSecret(
  request: UserSecretRequest,
  password: string,
  existing: Secret | undefined,
): Secret {
  const { user, cluster, bootstrap, caPem } = request;
  const { name, namespace, uid } = user.metadata;
  const username = usernameOf(user);
  const jaas = `org.apache.kafka.common.security.scram.ScramLoginModule required username="${username}" password="${password}";`;
  const entries: Record<string, string | Buffer> = {
    username,
    password,
    'sasl.jaas.config': jaas,
    'ca.crt': caPem,
    'bootstrap.servers': bootstrap,
    'client.properties': clientProperties(bootstrap, jaas),
    ...trust(caPem, existing),
  };
  const data = Object.fromEntries(Object.entries(entries).map(([key, value]) => [key, base64(value)]));
  const content = contentDigest(data);
  const annotations = { [credentialAnnotation]: credentialDigest(password), [contentAnnotation]: content };
  const labels = { ...managedBy, [keys.cluster]: cluster };
  if (existing !== undefined && isSame(existing, { data, annotations, labels })) return existing;
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: {
      ...existing?.metadata,
      name: userSecretOf(name),
      ...(namespace === undefined ? {} : { namespace }),
      labels: { ...existing?.metadata.labels, ...labels },
      annotations: { ...existing?.metadata.annotations, ...annotations },
      ownerReferences: [{ apiVersion, kind: 'KafkaUser', name, uid, controller: true }],
    },
    type: existing?.type ?? 'Opaque',
    data,
  };
}

const contentDigest = (data: Record<string, string>): string =>
  createHash('sha256')
    .update(JSON.stringify(Object.entries(data).sort()))
    .digest('base64url');

function isSame(
  existing: Secret,
  wanted: {
    data: Record<string, string>;
    annotations: Record<string, string>;
    labels: Record<string, string>;
  },
): boolean {
  const { metadata, data = {} } = existing;
  const has = (held: Record<string, string> = {}, some: Record<string, string>) =>
    Object.entries(some).every(([key, value]) => held[key] === value);
  return (
    has(metadata.annotations, wanted.annotations) &&
    has(metadata.labels, wanted.labels) &&
    contentDigest(data) === wanted.annotations[contentAnnotation]
  );
}

/** The PKCS#12 truststore is random in each making, so that a sound one is kept. */
function trust(caPem: string, existing: Secret | undefined): Record<string, string | Buffer> {
  const held = entryOf(existing, 'truststore.p12');
  const heldPassword = entryOf(existing, 'truststore.password')?.toString('utf8');
  const recorded = existing?.metadata.annotations?.[contentAnnotation];
  const untouched = recorded !== undefined && recorded === contentDigest(existing?.data ?? {});
  const sameAuthority = entryOf(existing, 'ca.crt')?.toString('utf8') === caPem;
  if (held !== undefined && heldPassword !== undefined && untouched && sameAuthority) {
    return { 'truststore.p12': held, 'truststore.password': heldPassword };
  }
  const password = newPassword();
  const store = truststore([{ alias: 'nodes', certificatePem: caPem }], password);
  return { 'truststore.p12': store, 'truststore.password': password };
}

const clientProperties = (bootstrap: string, jaas: string): string =>
  [
    `bootstrap.servers=${bootstrap}`,
    'security.protocol=SASL_SSL',
    'sasl.mechanism=SCRAM-SHA-512',
    `sasl.jaas.config=${jaas}`,
    'ssl.truststore.type=PEM',
    `ssl.truststore.location=${mountPath}/ca.crt`,
    '',
  ].join('\n');
