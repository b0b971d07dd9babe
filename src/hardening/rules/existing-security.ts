import { literal, type Value } from '../configuration.ts';
import { pointerTo, type Rule, type Said } from '../draft.ts';
import type { Listener } from '../listeners.ts';
import type { Observed } from './observed.ts';

/** What the check of a set's own security is shown. */
export type SecurityView = Omit<Observed, 'report'>;

interface Found extends Said {
  severity: 'error' | 'warning' | 'info';
}

/** What is asked again and again of one set. */
interface Security {
  view: SecurityView;
  /** Literal value of a property of a listener: its own, else the one for all. */
  text(property: string, listener?: Listener): string | undefined;
  /** Pointer to where a property is set, else to the listeners. */
  place(property: string, listener?: Listener): string;
  found(severity: Found['severity'], path: string, message: string, remedy: string): void;
}

const own = (listener: Listener | undefined, property: string) =>
  listener === undefined
    ? [property]
    : [`listener.name.${listener.name.toLowerCase()}.${property}`, property];

function valueOf({ configuration }: SecurityView, property: string, listener?: Listener): Value {
  const values = own(listener, property).map((name) => configuration.property(name));
  return values.find((v) => v.state === 'literal' || v.state === 'computed') ?? { state: 'absent' };
}

const isLocal = ({ host }: Listener) => /^(localhost|127\.\d+\.\d+\.\d+|\[?::1\]?)$/.test(host);
const isSecured = (protocol: string) => /^(SSL|SASL_SSL|SASL_PLAINTEXT)$/.test(protocol);
const hasTls = (protocol: string) => /SSL$/.test(protocol);
const named = ({ name, port }: Listener) => `listener ${name} (port ${port})`;

/** A listener that anybody may use, beside others that are closed. */
function plaintext(s: Security, listener: Listener): void {
  const { shape } = s.view;
  if (isLocal(listener)) return;
  const controller = listener === shape.controllerListener;
  s.found(
    'error',
    s.place('listeners'),
    controller
      ? `${named(listener)} is PLAINTEXT: whoever reaches it can speak for a controller, past all that the other listeners check`
      : `${named(listener)} is PLAINTEXT beside secured ones: whoever reaches it needs no credentials`,
    controller
      ? `Map ${listener.name}:SSL in listener.security.protocol.map and require client certificates on it.`
      : `Remove ${listener.name} from listeners, map it to SASL_SSL or SSL, or bind it to 127.0.0.1.`,
  );
}

function sasl(s: Security, listener: Listener, protocol: string): string {
  const mechanisms = s.text('sasl.enabled.mechanisms', listener)?.toUpperCase().replaceAll(/\s/g, '');
  if (protocol === 'SASL_PLAINTEXT' && !isLocal(listener)) {
    const plain = mechanisms === undefined ? false : mechanisms.split(',').includes('PLAIN');
    s.found(
      plain ? 'error' : 'warning',
      s.place('sasl.enabled.mechanisms', listener),
      plain
        ? `${named(listener)} takes passwords with PLAIN over an unencrypted connection: they can be read on the way`
        : `${named(listener)} authenticates over an unencrypted connection: messages can be read and changed on the way`,
      `Map ${listener.name} to SASL_SSL.`,
    );
  }
  return mechanisms ?? 'the mechanism of the image';
}

/** Whose setting it is: a listener's own, or the one for all. */
function ownerOf({ view }: Security, property: string, listener: Listener): string {
  const [special = ''] = own(listener, property);
  return view.configuration.property(special).state === 'literal' ? named(listener) : 'TLS';
}

/** Checks of the TLS of a listener; what is set for all is said once. */
function tls(s: Security, listener: Listener): void {
  const protocols = `${s.text('ssl.enabled.protocols', listener) ?? ''},${s.text('ssl.protocol', listener) ?? ''}`;
  const weak = protocols.split(',').filter((p) => /^\s*(SSL(v[23])?|TLSv1(\.1)?)\s*$/.test(p));
  const at =
    s.text('ssl.enabled.protocols', listener) === undefined ? 'ssl.protocol' : 'ssl.enabled.protocols';
  if (weak.length > 0)
    s.found(
      'error',
      s.place(at, listener),
      `${ownerOf(s, at, listener)} allows ${weak.map((p) => p.trim()).join(', ')}, which are broken`,
      'Set ssl.enabled.protocols=TLSv1.2,TLSv1.3, or leave it out.',
    );
  const ciphers = (s.text('ssl.cipher.suites', listener) ?? '')
    .split(/\W+/)
    .find((suite) => /NULL|ANON|EXPORT|RC4|3DES|_DES_|MD5/i.test(suite));
  if (ciphers !== undefined)
    s.found(
      'error',
      s.place('ssl.cipher.suites', listener),
      `${ownerOf(s, 'ssl.cipher.suites', listener)} allows ${ciphers}, which protects nothing`,
      'Leave ssl.cipher.suites out.',
    );
  const trust = trustAll(s, listener);
  if (trust !== undefined)
    s.found(
      'error',
      s.place(trust.property, listener),
      `${trust.property} is ${trust.value}: every certificate is accepted`,
      `Remove ${trust.property} and name a truststore with the authority that issued the certificates.`,
    );
}

function trustAll(s: Security, listener?: Listener): { property: string; value: string } | undefined {
  for (const property of ['ssl.engine.factory.class', 'ssl.trustmanager.algorithm']) {
    const value = s.text(property, listener);
    if (value !== undefined && /insecure|trust-?_?all|no-?verif|accept-?all|noop|blind|dummy/i.test(value))
      return { property, value };
  }
  return undefined;
}

/** Names of `ssl.endpoint.identification.algorithm`, for all listeners or one, that are set to nothing. */
function withoutVerification({ container, configuration, shape, containerIndex }: SecurityView): string[] {
  const inEnv = (container.env ?? []).flatMap(({ name, value = '', valueFrom }, i) =>
    /SSL_ENDPOINT_IDENTIFICATION_ALGORITHM$/.test(name) && valueFrom === undefined && isOff(value)
      ? [pointerTo(containerIndex, `/env/${i}`)]
      : [],
  );
  const listeners = shape.listeners.map((l) => `listener.name.${l.name.toLowerCase()}.`);
  const elsewhere = ['', ...listeners].flatMap((prefix) => {
    const value = configuration.property(`${prefix}ssl.endpoint.identification.algorithm`);
    const isSet = value.state === 'literal' && isOff(value.value);
    return isSet && !value.from.startsWith('/env/') ? [pointerTo(containerIndex, value.from)] : [];
  });
  return [...inEnv, ...elsewhere];
}

const isOff = (value: string) => /^\s*(""|''|none|disabled?|false)?\s*$/i.test(value);

/** The listener that brokers use among themselves, by its name or by its protocol. */
function interBrokerOf({ shape, configuration }: SecurityView): Listener | undefined {
  if (shape.interBroker !== undefined) return shape.interBroker;
  if (configuration.property('inter.broker.listener.name').state !== 'absent') return undefined;
  const protocol = literal(configuration.property('security.inter.broker.protocol')) ?? 'PLAINTEXT';
  return shape.listeners.find((l) => l.name === protocol && l !== shape.controllerListener);
}

/** Brokers among themselves, and the quorum: encrypted, and only for those who have a certificate or a password. */
function betweenNodes(s: Security, listener: Listener, who: string): void {
  const protocol = s.view.shape.protocolOf(listener);
  if (!hasTls(protocol) || protocol === 'SASL_SSL') return;
  const auth = s.text('ssl.client.auth', listener)?.trim().toLowerCase();
  const computed = valueOf(s.view, 'ssl.client.auth', listener).state === 'computed';
  if (auth === 'required' || computed) return;
  s.found(
    auth === 'requested' ? 'warning' : 'error',
    s.place('ssl.client.auth', listener),
    `${named(listener)} is used ${who} with ssl.client.auth=${auth ?? 'none'}: whoever reaches it is taken for ${who === 'between brokers' ? 'a broker' : 'a controller'} without a certificate`,
    `Set listener.name.${listener.name.toLowerCase()}.ssl.client.auth=required and a truststore with the authority of the nodes.`,
  );
}

function authorization(s: Security): void {
  const authorizer = s.text('authorizer.class.name');
  const value = valueOf(s.view, 'authorizer.class.name');
  const zookeeper = s.view.configuration.property('zookeeper.connect');
  const kraft = s.text('process.roles') !== undefined;
  if (value.state === 'absent')
    s.found(
      'warning',
      s.place('listeners'),
      'there is no authorizer: whoever can authenticate may read, write and delete everything',
      `Set authorizer.class.name=${kraft ? standard : acl} and super.users.`,
    );
  if (authorizer !== undefined && /AclAuthorizer$/.test(authorizer) && kraft)
    s.found(
      'error',
      s.place('authorizer.class.name'),
      `${authorizer} needs ZooKeeper: in KRaft mode Kafka does not start with it`,
      `Set authorizer.class.name=${standard}.`,
    );
  if (authorizer === standard && 'from' in zookeeper && zookeeper.state !== 'unknown' && !kraft)
    s.found(
      'error',
      s.place('authorizer.class.name'),
      'StandardAuthorizer needs KRaft: in ZooKeeper mode Kafka does not start with it',
      `Set authorizer.class.name=${acl}.`,
    );
  if (
    s
      .text('super.users')
      ?.split(';')
      .some((u) => u.trim() === 'User:ANONYMOUS') === true
  )
    s.found(
      'error',
      s.place('super.users'),
      'User:ANONYMOUS is a super user: whoever comes in without credentials may do everything',
      'Remove User:ANONYMOUS from super.users, once no broker and no client connects without credentials.',
    );
  if (s.text('allow.everyone.if.no.acl.found')?.toLowerCase() === 'true')
    s.found(
      'error',
      s.place('allow.everyone.if.no.acl.found'),
      'allow.everyone.if.no.acl.found lets every client use any topic that has no ACL',
      'Set allow.everyone.if.no.acl.found=false and give each client its ACLs.',
    );
}

const standard = 'org.apache.kafka.metadata.authorizer.StandardAuthorizer';
const acl = 'kafka.security.authorizer.AclAuthorizer';

function securityOf(view: SecurityView, all: Found[]): Security {
  const text = (property: string, listener?: Listener) => literal(valueOf(view, property, listener));
  const place = (property: string, listener?: Listener): string => {
    const value = valueOf(view, property, listener);
    const fallback = view.configuration.property('listeners');
    const at = 'from' in value ? value.from : 'from' in fallback ? fallback.from : '/env';
    return pointerTo(view.containerIndex, at);
  };
  const found = (severity: Found['severity'], path: string, message: string, remedy: string) => {
    if (!all.some((f) => f.path === path && f.message === message))
      all.push({ severity, path, message, remedy });
  };
  return { view, text, place, found };
}

const keep = 'Nothing to do: it is kept as it is.';

/** What is sound, so that a person sees what was understood. */
function sound(s: Security, listener: Listener): void {
  const protocol = s.view.shape.protocolOf(listener);
  if (!hasTls(protocol)) return;
  const auth = s.text('ssl.client.auth', listener)?.toLowerCase();
  const how =
    protocol === 'SASL_SSL'
      ? `TLS with ${sasl(s, listener, protocol)}`
      : auth === 'required'
        ? 'mutual TLS'
        : 'TLS without client certificates';
  s.found('info', s.place('listeners'), `${named(listener)} is protected by ${how}`, keep);
}

/** True where a manifest brings TLS, SASL or an authorizer of its own, as far as it can be seen. */
export function hasOwnSecurity({ configuration, shape }: SecurityView): boolean {
  const isSet = (property: string) => {
    const { state } = configuration.property(property);
    return state === 'literal' || state === 'computed';
  };
  return (
    shape.listeners.some((l) => isSecured(shape.protocolOf(l))) ||
    [
      'authorizer.class.name',
      'ssl.keystore.location',
      'ssl.keystore.filename',
      'sasl.enabled.mechanisms',
    ].some(isSet) ||
    literal(configuration.variable('KAFKA_OPTS'))?.includes('java.security.auth.login.config') === true
  );
}

/**
 * Looks at the security that a manifest brings itself, which is left as it is: what is sound (info), and each thing that is not
 * (warning or error), with the setting that is meant and what to do. Empty where a manifest brings none.
 */
export function existingSecurity(view: SecurityView): Found[] {
  if (!hasOwnSecurity(view)) return [];
  const all: Found[] = [];
  const s = securityOf(view, all);
  const { shape, containerIndex } = view;
  for (const listener of shape.listeners) {
    const protocol = shape.protocolOf(listener);
    sound(s, listener);
    if (protocol === 'PLAINTEXT') plaintext(s, listener);
    if (protocol === 'SASL_PLAINTEXT') sasl(s, listener, protocol);
    if (hasTls(protocol)) tls(s, listener);
  }
  const interBroker = interBrokerOf(view);
  if (interBroker !== undefined) betweenNodes(s, interBroker, 'between brokers');
  if (shape.controllerListener !== undefined) betweenNodes(s, shape.controllerListener, 'by the quorum');
  for (const path of withoutVerification(view))
    s.found(
      'error',
      path.startsWith('/') ? path : pointerTo(containerIndex, path),
      'hostname verification is off: any certificate of the same authority passes for any broker',
      'Leave ssl.endpoint.identification.algorithm out (https), and give each broker a certificate with its own names.',
    );
  authorization(s);
  return all;
}

export const existingSecurityRule: Rule = {
  id: 'existing-security',
  title: 'Security that the manifest brings itself',
  why: 'Half of one set-up and half of another would be worse than either, so a set with TLS, SASL or an authorizer of its own is left as it is. One hole is enough, though: a plaintext listener beside closed ones, hostname verification switched off, PLAIN over an open connection, ANONYMOUS as super user.',
  remedy:
    'Close what the findings name; or remove the security settings, and the set is hardened as a whole when it is created anew.',
  severity: 'warning',
  since: 1,
  apply(view: Observed) {
    for (const found of existingSecurity(view)) view.report(found);
  },
};
