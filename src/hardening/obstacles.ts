import { literal } from './configuration.ts';
import type { Facts } from './draft.ts';
import { clusterOf } from './layout.ts';
import type { Finding } from './model.ts';
import { finalDirectory, newestMajor, oldest } from './profiles/apache-kafka.ts';
import { reservedIn } from './reserved.ts';
import { idOffsetOf } from './shape.ts';
import { maxClusterNameLength } from '../names.ts';

/** Why a Kafka set cannot be hardened with certainty. */
export type Obstacle = Pick<Finding, 'rule' | 'path' | 'message' | 'remedy'>;

type Check = (source: Facts & { place: (from: string) => string }) => Obstacle | undefined;

const version: Check = ({ kafkaVersion: v, place }) => {
  if (
    v === undefined ||
    ((v[0] > oldest[0] || (v[0] === oldest[0] && v[1] >= oldest[1])) && v[0] <= newestMajor)
  )
    return undefined;
  return {
    rule: 'image-profile',
    path: place('/image'),
    message: `Kafka ${v.join('.')} is not supported: this profile covers ${oldest.join('.')} to ${newestMajor}.x`,
    remedy: `Use an image of Kafka ${oldest.join('.')} or later.`,
  };
};

const command: Check = ({ start, place }) => {
  if (start.kind !== 'unknown') return undefined;
  const line = start.line === undefined ? '' : `: "${start.line}"`;
  return {
    rule: 'unparsed-command',
    path: place('/command'),
    message: `the start command cannot be wrapped, because ${start.reason}${line}`,
    remedy: 'Let the command end in "exec /etc/kafka/docker/run", called once.',
  };
};

const zookeeper: Check = ({ configuration, place }) => {
  const value = configuration.variable('KAFKA_ZOOKEEPER_CONNECT');
  if (!('from' in value) || value.state === 'unknown') return undefined;
  return {
    rule: 'identity',
    path: place(value.from),
    message:
      'this set runs in ZooKeeper mode, which this version does not harden (and Kafka 4 does not have)',
    remedy: 'Migrate to KRaft first.',
  };
};

const roles: Check = ({ configuration, place }) => {
  const value = configuration.property('process.roles');
  const text = literal(value);
  if (text === undefined || !('from' in value)) return undefined;
  const set = new Set(text.split(',').map((r) => r.trim()));
  if (set.has('broker') && set.has('controller')) return undefined;
  return {
    rule: 'identity',
    path: place(value.from),
    message: `process.roles is ${text}: controllers and brokers in StatefulSets of their own are not hardened by this version`,
    remedy: 'Run brokers that are controllers too (process.roles=broker,controller).',
  };
};

const dynamicQuorum: Check = ({ configuration, place }) => {
  const dynamic = configuration.property('controller.quorum.bootstrap.servers');
  if (!('from' in dynamic) || dynamic.state === 'unknown') return undefined;
  return {
    rule: 'identity',
    path: place(dynamic.from),
    message: 'the quorum is dynamic (controller.quorum.bootstrap.servers), which this image cannot format',
    remedy: 'Use controller.quorum.voters, or leave both out.',
  };
};

const voters: Check = ({ configuration, shape, set, layout, place }) => {
  const value = configuration.property('controller.quorum.voters');
  if (shape.votersText === undefined || !('from' in value)) return undefined;
  const offset = idOffsetOf(shape, set);
  if (offset === layout.idOffset) return undefined;
  const at = { rule: 'identity', path: place(value.from) };
  if (offset !== undefined)
    return {
      ...at,
      message: `controller.quorum.voters (${shape.votersText}) gives the pods other node ids than they were created with`,
      remedy: `Leave it out: the id of a pod is its ordinal plus ${layout.idOffset}, and stays with its volume.`,
    };
  return {
    ...at,
    message: `controller.quorum.voters (${shape.votersText}) does not name the first pods of this StatefulSet in order, on one port`,
    remedy: `Leave it out, or write ID@${set.metadata?.name}-ORDINAL.SERVICE:PORT for each voter.`,
  };
};

const securityNames =
  /^KAFKA_(SSL_|SASL_|SECURITY_PROTOCOLS|AUTHORIZER_CLASS_NAME|PRINCIPAL_BUILDER_CLASS|LISTENER_NAME_.*_(SSL|SASL)_)/;

const security: Check = ({ configuration, shape, place }) => {
  const name = configuration.names.find((n) => securityNames.test(n));
  const tls = shape.listeners.find((l) => /SSL|SASL/.test(shape.protocolOf(l)));
  const jaas =
    literal(configuration.variable('KAFKA_OPTS'))?.includes('java.security.auth.login.config') === true;
  if (name === undefined && tls === undefined && !jaas) return undefined;
  const what =
    name ??
    (tls === undefined ? 'KAFKA_OPTS names a JAAS file' : `listener ${tls.name} is ${shape.protocolOf(tls)}`);
  const value = name === undefined ? undefined : configuration.variable(name);
  return {
    rule: 'listeners',
    path: place(value !== undefined && 'from' in value ? value.from : '/env'),
    message: `this set brings TLS, SASL or an authorizer of its own (${what}): half of one and half of the other would be worse than either`,
    remedy:
      'Remove its security settings to have it hardened, or keep them and label it kafka-warden.io/ignore=true.',
  };
};

const clients: Check = ({ shape, configuration, place }) => {
  if (shape.clients.length < 2) return undefined;
  const value = configuration.property('listeners');
  return {
    rule: 'listeners',
    path: place('from' in value ? value.from : '/env'),
    message: `there is more than one listener for clients (${shape.clients.map((l) => l.name).join(', ')}): this version serves one`,
    remedy: "Keep one client listener, and name the brokers' own in inter.broker.listener.name.",
  };
};

const unreadable: Check = ({ shape, configuration, place }) => {
  const value = configuration.property('listeners');
  if (literal(value) === undefined || shape.listeners.length > 0 || !('from' in value)) return undefined;
  return {
    rule: 'listeners',
    path: place(value.from),
    message: `listeners (${literal(value)}) cannot be read`,
    remedy: 'Write NAME://HOST:PORT, separated by commas.',
  };
};

const readOnlyConfig: Check = ({ container, place }) => {
  const index = (container.volumeMounts ?? []).findIndex(
    (m) => m.mountPath === finalDirectory || m.mountPath === `${finalDirectory}/server.properties`,
  );
  if (index < 0) return undefined;
  return {
    rule: 'storage',
    path: place(`/volumeMounts/${index}`),
    message: `a mount over ${finalDirectory} keeps the image from writing its configuration there: it does not start`,
    remedy: 'Mount the file as /mnt/shared/config/server.properties instead.',
  };
};

const name: Check = ({ set }) => {
  const cluster = clusterOf(set);
  if (cluster.length <= maxClusterNameLength) return undefined;
  return {
    rule: 'identity',
    path: '/metadata/name',
    message: `the cluster's name ${cluster} is longer than ${maxClusterNameLength} characters`,
    remedy: 'Choose a shorter name: labels and Services are made from it.',
  };
};

const otherCluster: Check = ({ set }) => {
  const cluster = clusterOf(set);
  if (cluster === set.metadata?.name) return undefined;
  return {
    rule: 'identity',
    path: '/metadata/labels',
    message: `the set belongs to the cluster ${cluster}, but this version hardens clusters of one StatefulSet`,
    remedy: 'Run all brokers in one StatefulSet, or remove kafka-warden.io/cluster.',
  };
};

const reserved: Check = ({ pod, containerIndex }) => {
  const found = reservedIn(pod, containerIndex);
  if (found === undefined) return undefined;
  return {
    rule: 'launcher',
    path: `/spec/template/spec${found.path}`,
    message: `${found.name} is a name or a place that kafka-warden uses itself`,
    remedy: 'Choose another: WARDEN_… variables, kafka-warden-… volumes and /etc/kafka-warden are taken.',
  };
};

const checks: readonly Check[] = [
  version,
  command,
  zookeeper,
  roles,
  dynamicQuorum,
  voters,
  security,
  unreadable,
  clients,
  readOnlyConfig,
  name,
  otherCluster,
  reserved,
];

/** Everything that keeps a set from being hardened; empty where nothing does. */
export function obstacles(source: Facts): Obstacle[] {
  const place = (from: string) => `/spec/template/spec/containers/${source.containerIndex}${from}`;
  return checks.flatMap((check) => check({ ...source, place }) ?? []);
}
