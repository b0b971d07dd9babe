import { statedClusterOf } from './cluster.ts';
import { isGiven, literal, type Value } from './configuration.ts';
import type { Facts } from './draft.ts';
import { layoutOf } from './layout.ts';
import type { Container, Finding } from './model.ts';
import { isAtLeast, type KafkaVersion } from './profiles/profile.ts';
import { withoutSlash } from './mounts.ts';
import { planQuorum, statedOffsetOf } from './quorum.ts';
import { reservedIn } from './reserved.ts';
import { roleOfProcess, statedRoleOf, visibleRoleOf } from './role.ts';
import { keys, maxClusterNameLength, maxPods } from '../names.ts';
import { collidingSibling } from './siblings.ts';
import { escaped } from './tree.ts';

/** Why a Kafka set cannot be hardened with certainty. */
export interface Obstacle extends Pick<Finding, 'rule' | 'path' | 'message' | 'remedy'> {
  /** It must not be admitted at all. */
  isFatal?: true;
  /** It is the set's own security, which is worth a closer look. */
  isSecurity?: true;
}

type Check = (source: Facts & { place: (from: string) => string }) => Obstacle | undefined;

/** KRaft has SCRAM from 3.5 on, ZooKeeper mode was tried from 3.0; 4.x has none. */
const oldestKraft: KafkaVersion = [3, 5];
const oldestZookeeper: KafkaVersion = [3, 0];
const newestMajor = 4;

/** A node id is an int32 (KIP-500's registration records). */
const maxNodeId = 2 ** 31 - 1;

const version: Check = ({ kafkaVersion: v, role, pin, place }) => {
  if (v === undefined) return undefined;
  const isZookeeper = pin.profile.zookeeper && (role === 'zookeeper' || role === 'unseen');
  const oldest = isZookeeper ? oldestZookeeper : oldestKraft;
  if (isZookeeper && role === 'zookeeper' && v[0] >= 4)
    return {
      rule: 'identity',
      path: place('/image'),
      message: `Kafka ${v.join('.')} has no ZooKeeper mode: the image does not start with zookeeper.connect`,
      remedy: 'Use an image of Kafka 3.9 (Confluent Platform 7.9), or migrate to KRaft.',
    };
  if (isAtLeast(v, oldest) && v[0] <= newestMajor) return undefined;
  return {
    rule: 'image-profile',
    path: place('/image'),
    message: `Kafka ${v.join('.')} is not supported: this profile covers ${oldest.join('.')} to ${role === 'zookeeper' ? '3.9 in ZooKeeper mode' : `${newestMajor}.x`}`,
    remedy: `Use an image of Kafka ${oldest.join('.')} or later.`,
  };
};

const command: Check = ({ start, container, pin, place }) => {
  if (start.kind !== 'unknown') return undefined;
  const line = start.line === undefined ? '' : `: "${start.line}"`;
  return {
    rule: 'unparsed-command',
    path: place('/command'),
    message: `the start command cannot be wrapped, because ${start.reason}${line}`,
    remedy: `Let the command end in "exec ${pin.profile.entrypoints[0] ?? 'kafka-server-start.sh FILE'}"${isIdle(container) ? `, or label the set ${keys.ignore}=true where no broker is meant to run in it` : ''}.`,
  };
};

/** A pod to work in, or a broker that somebody looks into: it waits, and starts nothing. */
const isIdle = ({ command = [], args = [] }: Container): boolean =>
  /\bsleep\b|\btail -f\b/.test([...command, ...args].join(' '));

/** Start commands that the launcher of the pinned generation does not know. */
const oldLauncher: Check = ({ start, configuration, pin, place }) => {
  const isNew = start.kind === 'file' || configuration.delivery.kind === 'file';
  if (pin.generation >= 3 || !isNew) return undefined;
  return {
    rule: 'profile',
    path: place('/command'),
    message: `the pinned profile ${pin.profile.family}/${pin.version} cannot wrap this start command`,
    remedy: 'Move the set to the newest profile: kafka-warden profile upgrade.',
  };
};

const zookeeper: Check = ({ configuration, pin, place }) => {
  const value = configuration.property('zookeeper.connect');
  if (pin.profile.zookeeper || !isGiven(value)) return undefined;
  return {
    rule: 'identity',
    path: place(value.from),
    message: 'zookeeper.connect is set, but this image runs Kafka in KRaft mode only',
    remedy: 'Remove it, or use an image that has ZooKeeper mode (Confluent Platform up to 7.9).',
  };
};

const roles: Check = ({ configuration, role, set, old, workload, place }) => {
  const value = configuration.property('process.roles');
  const text = literal(value);
  if (text !== undefined && isGiven(value) && roleOfProcess(text) === undefined)
    return {
      rule: 'identity',
      path: place(value.from),
      message: `process.roles is "${text}", which is none of broker, controller and both`,
      remedy: 'Write broker, controller, or broker,controller.',
    };
  const shown = statedRoleOf(set) ?? visibleRoleOf(configuration);
  const kept = layoutOf(old) ?? layoutOf(workload);
  if (shown === undefined || shown === role || kept === undefined)
    return contradiction({ set, configuration });
  return {
    rule: 'identity',
    path: isGiven(value) ? place(value.from) : `/metadata/annotations/${escaped(keys.role)}`,
    message: `this set was created as ${role} and would become ${shown}: nodes with data do not change their role`,
    remedy: `Go back to ${role}, or create a new StatefulSet.`,
  };
};

/** An annotation that states another role than the manifest shows. */
function contradiction({ set, configuration }: Pick<Facts, 'set' | 'configuration'>): Obstacle | undefined {
  const stated = set.metadata?.annotations?.[keys.role];
  if (stated === undefined) return undefined;
  const path = `/metadata/annotations/${escaped(keys.role)}`;
  const visible = visibleRoleOf(configuration);
  if (statedRoleOf(set) === undefined)
    return {
      rule: 'identity',
      path,
      message: `the role "${stated}" is none of combined, broker, controller and zookeeper`,
      remedy: 'Correct the annotation.',
    };
  if (visible === undefined || visible === stated) return undefined;
  return {
    rule: 'identity',
    path,
    message: `the annotation states the role ${stated}, but the manifest configures ${visible}`,
    remedy: 'Remove the annotation: it is for configuration that cannot be seen.',
  };
}

const dynamicQuorum: Check = ({ configuration, place }) => {
  const dynamic = configuration.property('controller.quorum.bootstrap.servers');
  if (!isGiven(dynamic)) return undefined;
  return {
    rule: 'identity',
    path: place(dynamic.from),
    message: 'the quorum is dynamic (controller.quorum.bootstrap.servers), which is not hardened',
    remedy: 'Use controller.quorum.voters, or leave both out.',
  };
};

const voters: Check = ({ configuration, shape, set, role, layout, place }) => {
  const value = configuration.property('controller.quorum.voters');
  if (role === 'zookeeper' || shape.votersText === undefined || !('from' in value)) return undefined;
  const at = { rule: 'identity', path: place(value.from) };
  const planned = planQuorum({ set, shape, role });
  if (planned === undefined)
    return {
      ...at,
      message:
        role === 'broker'
          ? `controller.quorum.voters (${shape.votersText}) names no controllers that brokers of their own could follow`
          : `controller.quorum.voters (${shape.votersText}) does not name the first pods of this StatefulSet in order, on one port`,
      remedy: `Leave it out, or write ID@${role === 'broker' ? 'CONTROLLERS' : set.metadata?.name}-ORDINAL.SERVICE:PORT for each voter.`,
    };
  if (planned.idOffset === layout.idOffset || role === 'broker') return undefined;
  return {
    ...at,
    message: `controller.quorum.voters (${shape.votersText}) gives the pods other node ids than they were created with`,
    remedy: `Leave it out: the id of a pod is its ordinal plus ${layout.idOffset}, and stays with its volume.`,
  };
};

/** A broker set whose controllers nothing names. */
const homeless: Check = ({ set, role, layout, shape }) => {
  if (role !== 'broker' || shape.votersText !== undefined || layout.cluster !== set.metadata?.name)
    return undefined;
  return {
    rule: 'identity',
    path: '/metadata/labels',
    message:
      'these are brokers without controllers of their own, and nothing names the cluster that they belong to',
    remedy: `Label this StatefulSet and its controllers' with ${keys.cluster}=NAME, or name the controllers' pods in controller.quorum.voters.`,
  };
};

const takenIds: Check = ({ set, layout, old, siblings }) => {
  const taken = old === undefined ? collidingSibling(set, layout, { siblings }) : undefined;
  if (taken === undefined) return undefined;
  return {
    isFatal: true,
    rule: 'identity',
    path: '/metadata/annotations',
    message: `StatefulSet ${taken.name} of the cluster ${layout.cluster} has the node ids ${taken.ids}, which this one would have too`,
    remedy: `Annotate this StatefulSet ${keys.idOffset}: "${taken.free}".`,
  };
};

/** Pods beyond what one Secret of keystores holds, or node ids beyond an int32. */
const size: Check = ({ set, layout }) => {
  const { replicas = 1, ordinals } = set.spec ?? {};
  const last = layout.idOffset + (ordinals?.start ?? 0) + Math.max(1, replicas) - 1;
  if (replicas > maxPods)
    return {
      rule: 'keystore',
      path: '/spec/replicas',
      message: `there are ${replicas} replicas: the keystores of more than ${maxPods} pods do not fit into the set's Secret`,
      remedy: `Spread the brokers over several StatefulSets of one cluster, labelled ${keys.cluster}=NAME.`,
    };
  if (last <= maxNodeId) return undefined;
  return {
    rule: 'identity',
    path: ordinals === undefined ? '/metadata/annotations' : '/spec/ordinals/start',
    message: `the last pod would have the node id ${last}, and Kafka's go up to ${maxNodeId}`,
    remedy: 'Begin the ordinals, or the id offset, at a lower number.',
  };
};

const movedIds: Check = ({ set, layout, old, workload }) => {
  const stated = set.metadata?.annotations?.[keys.idOffset];
  if (stated === undefined) return undefined;
  const path = `/metadata/annotations/${escaped(keys.idOffset)}`;
  const offset = statedOffsetOf(set);
  if (offset === undefined)
    return {
      rule: 'identity',
      path,
      message: `the id offset "${stated}" is no number`,
      remedy: 'Write a number such as 100.',
    };
  if (offset === layout.idOffset || (layoutOf(old) ?? layoutOf(workload)) === undefined) return undefined;
  return {
    rule: 'identity',
    path,
    message: `the pods were created with ids from ${layout.idOffset} on, and keep them with their volumes`,
    remedy: `Write ${layout.idOffset}, or remove the annotation.`,
  };
};

const securityProperties =
  /^(ssl\.|sasl\.|security\.protocols|authorizer\.class\.name|principal\.builder\.class|listener\.name\..*\.(ssl|sasl)\.)/;
/** Variables of images that configure security in ways of their own. */
const securityVariables =
  /^KAFKA_(SSL_|SASL_|TLS_|CLIENT_USERS|CLIENT_PASSWORDS|INTER_BROKER_(USER|PASSWORD)|CONTROLLER_(USER|PASSWORD)|CERTIFICATE_PASSWORD|ZOOKEEPER_(USER|PASSWORD|TLS))/;
/** Values that switch nothing on. */
const isOff = (value: Value) => /^(|none|PLAINTEXT)$/i.test(literal(value)?.trim() ?? 'unknown');

const security: Check = ({ configuration, shape, pin, place }) => {
  const property = configuration.properties.find(
    (p) => securityProperties.test(p) && !isOff(configuration.property(p)),
  );
  const environment = configuration.delivery.kind === 'environment' ? configuration.names : [];
  const variable = environment.find(
    (n) =>
      (securityVariables.test(n) || securityProperties.test(pin.profile.propertyOf(n) ?? '')) &&
      !isOff(configuration.variable(n)),
  );
  const name = variable ?? property;
  const tls = shape.listeners.find((l) => /SSL|SASL/.test(shape.protocolOf(l)));
  const jaas =
    literal(configuration.variable('KAFKA_OPTS'))?.includes('java.security.auth.login.config') === true;
  if (name === undefined && tls === undefined && !jaas) return undefined;
  const what =
    name ??
    (tls === undefined ? 'KAFKA_OPTS names a JAAS file' : `listener ${tls.name} is ${shape.protocolOf(tls)}`);
  const value =
    variable !== undefined
      ? configuration.variable(variable)
      : property !== undefined
        ? configuration.property(property)
        : undefined;
  return {
    isSecurity: true,
    rule: 'listeners',
    path: place(value !== undefined && 'from' in value ? value.from : '/env'),
    message: `this set brings TLS, SASL or an authorizer of its own (${what}): half of one and half of the other would be worse than either`,
    remedy:
      'Remove its security settings to have it hardened, or keep them and label it kafka-warden.io/ignore=true.',
  };
};

const clients: Check = ({ shape, configuration, pin, place }) => {
  if (shape.clients.length < 2 || pin.generation >= 3) return undefined;
  const value = configuration.property('listeners');
  return {
    rule: 'listeners',
    path: place('from' in value ? value.from : '/env'),
    message: `there is more than one listener for clients (${shape.clients.map((l) => l.name).join(', ')}): this profile serves one`,
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

const readOnlyConfig: Check = ({ container, configuration, pod, pin, place }) => {
  if (configuration.delivery.kind === 'file') return undefined;
  const isWritable = (name: string) => pod.volumes?.find((v) => v.name === name)?.emptyDir !== undefined;
  const taken = pin.profile.finalFiles;
  const index = (container.volumeMounts ?? []).findIndex(
    (m) => taken.includes(withoutSlash(m.mountPath)) && !isWritable(m.name),
  );
  if (index < 0) return undefined;
  const path = container.volumeMounts?.[index]?.mountPath;
  const [mounted] = pin.profile.mountedDirectories;
  return {
    rule: 'storage',
    path: place(`/volumeMounts/${index}`),
    message: `a mount over ${path} keeps the image from writing its configuration there: it does not start`,
    remedy:
      mounted === undefined
        ? 'Give the image its configuration by environment variables, or start kafka-server-start with the mounted file.'
        : `Mount the file as ${mounted}/server.properties instead.`,
  };
};

/** A postStart hook that fails has its container killed. */
const hook: Check = ({ container, place }) => {
  const words = container.lifecycle?.postStart?.exec?.command ?? [];
  const text = words.join(' ');
  if (!/--(bootstrap-server|broker-list|zookeeper)\b/.test(text) || /\|\|\s*(true|:)|&\s*$/.test(text))
    return undefined;
  return {
    rule: 'probes',
    path: place('/lifecycle/postStart/exec/command'),
    message:
      'the postStart hook connects to the broker without credentials: on a hardened one it fails, and Kubernetes kills a container whose hook fails',
    remedy: 'Create topics in a Job that has the Secret of a KafkaUser.',
  };
};

const name: Check = ({ layout: { cluster } }) => {
  if (cluster.length <= maxClusterNameLength) return undefined;
  return {
    rule: 'identity',
    path: '/metadata/name',
    message: `the cluster's name ${cluster} is longer than ${maxClusterNameLength} characters`,
    remedy: `Choose a shorter name, or name the cluster in the label ${keys.cluster}: labels and Services are made from it.`,
  };
};

const otherCluster: Check = ({ set, layout, old, pin }) => {
  const { cluster } = layout;
  const stated = statedClusterOf(set);
  const kept = layoutOf(old);
  const moves = kept !== undefined && stated !== undefined && stated !== kept.cluster;
  if (moves)
    return {
      rule: 'identity',
      path: '/metadata/labels',
      message: `this set belongs to the cluster ${kept.cluster}, and its nodes cannot become part of ${stated}`,
      remedy: `Write ${keys.cluster}=${kept.cluster}, or create a new StatefulSet.`,
    };
  if (pin.generation >= 3 || cluster === set.metadata?.name) return undefined;
  return {
    rule: 'identity',
    path: '/metadata/labels',
    message: `the set belongs to the cluster ${cluster}, but its pinned profile knows clusters of one StatefulSet`,
    remedy: 'Move the set to the newest profile: kafka-warden profile upgrade.',
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
  oldLauncher,
  zookeeper,
  roles,
  dynamicQuorum,
  voters,
  homeless,
  size,
  movedIds,
  takenIds,
  security,
  unreadable,
  clients,
  readOnlyConfig,
  hook,
  name,
  otherCluster,
  reserved,
];

/** Everything that keeps a set from being hardened; empty where nothing does. */
export function obstacles(source: Facts): Obstacle[] {
  const place = (from: string) => `/spec/template/spec/containers/${source.containerIndex}${from}`;
  return checks.flatMap((check) => check({ ...source, place }) ?? []);
}
