import type { LookupFunction } from 'node:net';
import { type AppendLatency, appendLatency, longestAppendMs, removeLatencyGroups } from './append-latency.ts';
import { createAcls, deleteAcls, describeAcls } from './access.ts';
import type { Acl } from './acls.ts';
import { type Ask, type Route, askOf } from './ask.ts';
import { type ViewOptions, ping, viewOf } from './broker-view.ts';
import { type DescribedCluster, describeCluster } from './cluster.ts';
import {
  type ConfigChange,
  type ConfigResource,
  type EffectiveConfig,
  alterConfigs,
  describeConfigs,
} from './configs.ts';
import { electPreferredLeaders } from './elections.ts';
import { type Address, type ClientTls, type Connections, openConnections } from './connections.ts';
import { type KafkaControllers, alterAtControllers, controllersAsk } from './controllers.ts';
import {
  type FeatureOutcome,
  type FeatureUpdate,
  type NodeFeatures,
  featuresOf,
  updateFeatures,
} from './features.ts';
import { type GroupOffsets, committedOffsets } from './groups.ts';
import { type LogDir, type ReplicaPlace, alterReplicaLogDirs, describeLogDirs } from './log-dirs.ts';
import {
  type ResourceChanges,
  type ResourceConfigs,
  type ResourceOutcome,
  alterManyConfigs,
  describeManyConfigs,
} from './many-configs.ts';
import { type OffsetPosition, type PartitionOffset, listOffsets } from './offsets.ts';
import type { PartitionOutcome, TopicPartition } from './partitions.ts';
import { type Quorum, describeQuorum } from './quorum.ts';
import {
  type OngoingReassignment,
  type ReassignmentChange,
  alterReassignments,
  listReassignments,
} from './reassignments.ts';
import { unregisterBroker } from './registrations.ts';
import { type ScramUser, deleteScram, describeScram, upsertScram } from './scram-users.ts';
import { type PartitionTail, type ReadablePartition, tailBytesPerOffset } from './tail.ts';
import { type Topic, describeTopics } from './topics.ts';
import type { ApiVersions, Features } from './versions.ts';
import type { ViewLink } from './view-client.ts';
import type { ViewBytes } from './view-columns.ts';

export interface AdminOptions {
  /** `host:port` of brokers on a mutual-TLS listener; the names are those in the brokers' certificates. */
  readonly bootstrap: readonly string[] | (() => readonly string[]);
  readonly tls: ClientTls | (() => ClientTls);
  readonly clientId?: string;
  /** 5 s each unless given. */
  readonly connectTimeoutMs?: number;
  readonly requestTimeoutMs?: number;
  readonly lookup?: LookupFunction;
  /** Closes the client when aborted. */
  readonly signal?: AbortSignal;
  readonly log?: { debug(fields: object, message: string): void };
}

/**
 * The administration calls of Kafka 3.0 and later that the warden needs, in KRaft and in ZooKeeper mode. Each is answered by the first broker that
 * can be reached, or by the one that is asked for; each throws a `KafkaError` and takes at most the time limits.
 */
export interface KafkaAdmin {
  apiVersions(): Promise<ApiVersions>;
  features(): Promise<Features>;
  /** What the software of the broker or controller at an address supports, and what it knows to be finalized. */
  featuresOf(node: Address): Promise<NodeFeatures>;
  /**
   * Finalizes higher levels, all or none of them; never lower ones. `validateOnly` changes nothing and says whether Kafka
   * would. In ZooKeeper mode there is nothing to finalize.
   */
  updateFeatures(
    updates: readonly FeatureUpdate[],
    options: { readonly validateOnly: boolean },
  ): Promise<FeatureOutcome[]>;
  describeCluster(): Promise<DescribedCluster>;
  /** Refused in ZooKeeper mode, which has no quorum. */
  describeQuorum(): Promise<Quorum>;
  /** All topics, or the named ones; a name that does not exist is left out. */
  topics(names?: readonly string[]): Promise<Topic[]>;
  describeConfigs(resource: ConfigResource, keys?: readonly string[]): Promise<EffectiveConfig[]>;
  /** Sent to `broker` where given: a broker takes changes of its own resource only, and of the cluster's default. */
  incrementalAlterConfigs(
    resource: ConfigResource,
    changes: readonly ConfigChange[],
    options?: { broker?: number },
  ): Promise<void>;
  /** Several resources in few calls; topics that do not exist are left out. Throws where a broker that is asked for its own is away. */
  describeManyConfigs(
    resources: readonly ConfigResource[],
    keys?: readonly string[],
  ): Promise<ResourceConfigs[]>;
  /** Each resource succeeds or is refused by itself; a broker's own is refused while that broker is away. */
  alterManyConfigs(changes: readonly ResourceChanges[]): Promise<ResourceOutcome[]>;
  /** Reassignments under way, whoever started them. */
  listReassignments(partitions?: readonly TopicPartition[]): Promise<OngoingReassignment[]>;
  /**
   * `replicas: null` cancels (KIP-455), and is refused with `NO_REASSIGNMENT_IN_PROGRESS` where there is nothing to
   * cancel. Silently replaces a reassignment that is under way. Kafka 4.1 refuses a changed replication factor.
   */
  alterReassignments(changes: readonly ReassignmentChange[]): Promise<PartitionOutcome[]>;
  /** Makes each partition's first replica its leader; one that leads already counts as done. */
  electPreferredLeaders(partitions: readonly TopicPartition[]): Promise<PartitionOutcome[]>;
  /** The log directories of one broker with what lies in them, offline ones too. */
  describeLogDirs(broker: number): Promise<LogDir[]>;
  /**
   * Has a broker copy replicas into other log directories of its own; the one that a replica lies in ends such a copy. One
   * that the broker does not have is refused with `REPLICA_NOT_AVAILABLE`, and goes there when it comes.
   */
  alterReplicaLogDirs(broker: number, places: readonly ReplicaPlace[]): Promise<PartitionOutcome[]>;
  /** Next offset (latest) or first kept one (earliest), asked of each leader; partitions whose leader is away are left out. */
  listOffsets(position: OffsetPosition, partitions: readonly TopicPartition[]): Promise<PartitionOffset[]>;
  /** Bytes that a record takes at the end of each partition's log; partitions with nothing to read are left out. */
  tailBytesPerOffset(partitions: readonly ReadablePartition[]): Promise<PartitionTail[]>;
  /** What the metadata cache of the broker at an address shows, and no other's; for `readView`. */
  viewOf(broker: Address, options?: ViewOptions): Promise<ViewBytes>;
  /** With what another thread may ask these hosts for their views, by a `ViewClient` of its own. */
  viewLink(hosts: readonly string[]): Promise<ViewLink>;
  /** Rejects where the broker at an address does not answer. */
  ping(broker: Address): Promise<void>;
  /** What every consumer group has committed, each asked of its coordinator. */
  committedOffsets(): Promise<GroupOffsets[]>;
  /**
   * How long a write takes until all in-sync replicas have it, on those of the brokers that lead a partition of
   * `__consumer_offsets`: an offset is committed there, in groups of its own. Nothing where that topic does not exist yet. An
   * answer that does not come in 2 s counts as 2 s.
   */
  appendLatency(brokers: readonly number[]): Promise<AppendLatency[]>;
  /** Removes the groups of `appendLatency`; throws where one may be left. */
  removeLatencyGroups(): Promise<void>;
  /** Kafka gets the salted form only. Replaces an earlier password; running sessions go on. */
  upsertScramCredential(user: string, password: string): Promise<void>;
  /** No error where there is none. */
  deleteScramCredential(user: string): Promise<void>;
  describeScramUsers(): Promise<ScramUser[]>;
  createAcls(acls: readonly Acl[]): Promise<void>;
  deleteAcls(acls: readonly Acl[]): Promise<void>;
  /** All entries, or those of one principal (`User:NAME`). */
  describeAcls(principal?: string): Promise<Acl[]>;
  /** Forgets a broker that is gone for good; one that is not registered is no error. Refused in ZooKeeper mode, which has no registrations. */
  unregisterBroker(id: number): Promise<void>;
  /** The certificate (DER) that a broker presents on the listener of this client. */
  presentedCertificate(address: Address): Promise<Buffer>;
  close(): Promise<void>;
}

const usualTimeoutMs = 5_000;

/** Hosts that have no address are left out: whoever connects to them finds that out. */
async function resolved(hosts: readonly string[], lookup: LookupFunction): Promise<Map<string, string>> {
  const found = await Promise.all(
    hosts.map(
      (host) =>
        new Promise<[string, string] | undefined>((resolve) =>
          lookup(host, {}, (error, address) =>
            resolve(error === null && typeof address === 'string' ? [host, address] : undefined),
          ),
        ),
    ),
  );
  return new Map(found.filter((one) => one !== undefined));
}

/** Opens no connection yet: the first call does. */
export function connectAdmin(options: AdminOptions): KafkaAdmin {
  const { connections, route, close } = routeOf(options);
  const limits = { connectTimeoutMs: longestAppendMs, requestTimeoutMs: longestAppendMs };
  const own = routeOf({ ...options, ...limits });
  const ask = askOf(route);
  const probe = { ask, alone: askOf(own.route) };
  return {
    ...callsOf(ask),
    appendLatency: (brokers) => appendLatency(probe, brokers),
    removeLatencyGroups: () => removeLatencyGroups(probe),
    viewLink: async (hosts) => {
      const { tls, lookup, connectTimeoutMs = usualTimeoutMs, requestTimeoutMs = usualTimeoutMs } = options;
      return {
        tls: typeof tls === 'function' ? tls() : tls,
        ...{ connectTimeoutMs, requestTimeoutMs },
        ...(lookup === undefined ? {} : { addresses: await resolved(hosts, lookup) }),
      };
    },
    presentedCertificate: (address) => connections.peerCertificate(address),
    close: async () => void (await Promise.all([close(), own.close()])),
  };
}

/** A client of the controllers: `bootstrap` has the addresses of their own listener. Opens no connection yet. */
export function connectControllers(options: AdminOptions): KafkaControllers {
  const { route, close } = routeOf(options);
  const ask = controllersAsk(route);
  return { alterManyConfigs: (changes) => alterAtControllers(ask, changes), close };
}

function routeOf(options: AdminOptions): {
  connections: Connections;
  route: Route;
  close: () => Promise<void>;
} {
  const { tls, bootstrap, connectTimeoutMs = usualTimeoutMs, requestTimeoutMs = usualTimeoutMs } = options;
  const connections = openConnections({
    clientId: options.clientId ?? 'kafka-warden',
    tls: typeof tls === 'function' ? tls : () => tls,
    connectTimeoutMs,
    requestTimeoutMs,
    now: () => performance.now(),
    ...(options.lookup === undefined ? {} : { lookup: options.lookup }),
  });
  const route: Route = {
    call: (address, api, ...args) => connections.call(address, api, ...args),
    addresses: () => (typeof bootstrap === 'function' ? bootstrap() : bootstrap).map(parseAddress),
    onFailure: (error) =>
      options.log?.debug({ event: 'kafka-broker-failed', code: error.code }, error.message),
  };
  const close = () => connections.close();
  options.signal?.addEventListener('abort', () => void close(), { once: true });
  return { connections, route, close };
}

type OfMore = 'appendLatency' | 'close' | 'presentedCertificate' | 'removeLatencyGroups' | 'viewLink';

function callsOf(ask: Ask): Omit<KafkaAdmin, OfMore> {
  return {
    apiVersions: () => ask.versions(),
    features: async () => (await ask.versions()).features,
    featuresOf: (node) => featuresOf(ask, node),
    updateFeatures: (updates, options) => updateFeatures(ask, updates, options),
    describeCluster: () => describeCluster(ask),
    describeQuorum: () => describeQuorum(ask),
    topics: (names) => describeTopics(ask, names),
    describeConfigs: (resource, keys) => describeConfigs(ask, resource, keys),
    incrementalAlterConfigs: (resource, changes, options) =>
      alterConfigs(ask, { resource, changes, broker: options?.broker }),
    describeManyConfigs: (resources, keys) => describeManyConfigs(ask, resources, keys),
    alterManyConfigs: (changes) => alterManyConfigs(ask, changes),
    listReassignments: (partitions) => listReassignments(ask, partitions),
    alterReassignments: (changes) => alterReassignments(ask, changes),
    electPreferredLeaders: (partitions) => electPreferredLeaders(ask, partitions),
    describeLogDirs: (broker) => describeLogDirs(ask, broker),
    alterReplicaLogDirs: (broker, places) => alterReplicaLogDirs(ask, broker, places),
    listOffsets: (position, partitions) => listOffsets(ask, position, partitions),
    tailBytesPerOffset: (partitions) => tailBytesPerOffset(ask, partitions),
    viewOf: (broker, options) => viewOf(ask, broker, options),
    ping: (broker) => ping(ask, broker),
    committedOffsets: () => committedOffsets(ask),
    upsertScramCredential: (user, password) => upsertScram(ask, user, password),
    deleteScramCredential: (user) => deleteScram(ask, user),
    describeScramUsers: () => describeScram(ask),
    createAcls: (acls) => createAcls(ask, acls),
    deleteAcls: (acls) => deleteAcls(ask, acls),
    describeAcls: (principal) => describeAcls(ask, principal),
    unregisterBroker: (id) => unregisterBroker(ask, id),
  };
}

function parseAddress(text: string): Address {
  const separator = text.lastIndexOf(':');
  return { host: text.slice(0, separator), port: Number(text.slice(separator + 1)) };
}
