import type { LookupFunction } from 'node:net';
import { type API, apiVersionsV3, createAclsV3, deleteAclsV3, describeAclsV3 } from '@platformatic/kafka';
import { type Acl, filterOf, fromWire, toWire } from './acls.ts';
import { type DescribedCluster, describeCluster } from './cluster.ts';
import {
  type ConfigChange,
  type ConfigResource,
  type EffectiveConfig,
  alterConfigs,
  describeConfigs,
} from './configs.ts';
import { type Address, type ClientTls, openConnections } from './connections.ts';
import { KafkaError } from './errors.ts';
import { type Quorum, describeQuorum } from './quorum.ts';
import { type ScramUser, deleteScram, describeScram, upsertScram } from './scram-users.ts';
import { type Topic, describeTopics } from './topics.ts';

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

/** Finalized feature levels, by name (`metadata.version`, `eligible.leader.replicas.version`, `kraft.version`). */
export type Features = ReadonlyMap<string, number>;

/** What a broker supports, and what its cluster has finalized. */
export interface ApiVersions {
  /** The newest version of each call, by the call's key. */
  readonly newest: ReadonlyMap<number, number>;
  readonly features: Features;
}

/**
 * The administration calls of Kafka 3.7 and later that the warden needs. Each is answered by the first broker that
 * can be reached, or by the one that is asked for; each throws a `KafkaError` and takes at most the time limits.
 */
export interface KafkaAdmin {
  apiVersions(): Promise<ApiVersions>;
  features(): Promise<Features>;
  describeCluster(): Promise<DescribedCluster>;
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
  /** Kafka gets the salted form only. Replaces an earlier password; running sessions go on. */
  upsertScramCredential(user: string, password: string): Promise<void>;
  /** No error where there is none. */
  deleteScramCredential(user: string): Promise<void>;
  describeScramUsers(): Promise<ScramUser[]>;
  createAcls(acls: readonly Acl[]): Promise<void>;
  deleteAcls(acls: readonly Acl[]): Promise<void>;
  /** All entries, or those of one principal (`User:NAME`). */
  describeAcls(principal?: string): Promise<Acl[]>;
  /** The certificate (DER) that a broker presents on the listener of this client. */
  presentedCertificate(address: Address): Promise<Buffer>;
  close(): Promise<void>;
}

/** How calls reach a broker; `what` names the call in errors. */
export interface Ask {
  any<A extends unknown[], R>(api: API<A, R>, ...args: A): Promise<R>;
  broker<A extends unknown[], R>(id: number, api: API<A, R>, ...args: A): Promise<R>;
  versions(): Promise<ApiVersions>;
}

/** Opens no connection yet: the first call does. */
export function connectAdmin(options: AdminOptions): KafkaAdmin {
  const { tls, bootstrap, connectTimeoutMs = 5_000, requestTimeoutMs = 5_000 } = options;
  const connections = openConnections({
    clientId: options.clientId ?? 'kafka-warden',
    tls: typeof tls === 'function' ? tls : () => tls,
    connectTimeoutMs,
    requestTimeoutMs,
    now: () => performance.now(),
    ...(options.lookup === undefined ? {} : { lookup: options.lookup }),
  });
  let preferred = 0;

  const any: Ask['any'] = async (api, ...args) => {
    const addresses = (typeof bootstrap === 'function' ? bootstrap() : bootstrap).map(parseAddress);
    const errors: KafkaError[] = [];
    for (const [offset] of addresses.entries()) {
      const index = (preferred + offset) % addresses.length;
      const address = addresses[index];
      if (address === undefined) continue;
      try {
        const answer = await connections.call(address, api, ...args);
        preferred = index;
        return answer;
      } catch (error) {
        if (!(error instanceof KafkaError) || error.reason !== undefined) throw error;
        options.log?.debug({ event: 'kafka-broker-failed', code: error.code }, error.message);
        errors.push(error);
      }
    }
    throw allFailed(errors);
  };

  const ask: Ask = {
    any,
    async broker(id, api, ...args) {
      const { brokers } = await describeCluster(ask);
      const found = brokers.find((broker) => broker.id === id);
      if (found === undefined) {
        throw new KafkaError('kafka-unreachable', `Broker ${id} is not registered and alive`);
      }
      return connections.call(found, api, ...args);
    },
    async versions() {
      const { apiKeys, finalizedFeatures = [] } = await any(apiVersionsV3.api, 'kafka-warden', '1');
      return {
        newest: new Map(apiKeys.map(({ apiKey, maxVersion }) => [apiKey, maxVersion])),
        features: new Map(finalizedFeatures.map(({ name, maxVersionLevel }) => [name, maxVersionLevel])),
      };
    },
  };

  const close = () => connections.close();
  options.signal?.addEventListener('abort', () => void close(), { once: true });
  return { ...callsOf(ask), presentedCertificate: (address) => connections.peerCertificate(address), close };
}

function callsOf(ask: Ask): Omit<KafkaAdmin, 'close' | 'presentedCertificate'> {
  return {
    apiVersions: () => ask.versions(),
    features: async () => (await ask.versions()).features,
    describeCluster: () => describeCluster(ask),
    describeQuorum: () => describeQuorum(ask),
    topics: (names) => describeTopics(ask, names),
    describeConfigs: (resource, keys) => describeConfigs(ask, resource, keys),
    incrementalAlterConfigs: (resource, changes, options) =>
      alterConfigs(ask, { resource, changes, broker: options?.broker }),
    upsertScramCredential: (user, password) => upsertScram(ask, user, password),
    deleteScramCredential: (user) => deleteScram(ask, user),
    describeScramUsers: () => describeScram(ask),
    async createAcls(acls) {
      if (acls.length > 0) await ask.any(createAclsV3.api, acls.map(toWire));
    },
    async deleteAcls(acls) {
      if (acls.length > 0) await ask.any(deleteAclsV3.api, acls.map(toWire));
    },
    async describeAcls(principal) {
      const { resources } = await ask.any(describeAclsV3.api, filterOf(principal));
      const entries = resources.flatMap(({ acls, ...target }) => acls.map((acl) => ({ ...target, ...acl })));
      return entries.map(fromWire).filter((acl) => acl !== undefined);
    },
  };
}

function parseAddress(text: string): Address {
  const separator = text.lastIndexOf(':');
  return { host: text.slice(0, separator), port: Number(text.slice(separator + 1)) };
}

/** The most telling code counts: a broker that was reached says more than one that was not. */
function allFailed(errors: readonly KafkaError[]): KafkaError {
  const [first] = errors;
  if (first === undefined) return new KafkaError('kafka-unreachable', 'No broker is known yet');
  if (errors.length === 1) return first;
  const telling = errors.find(({ code }) => code !== 'kafka-unreachable') ?? first;
  const problems = errors.map(({ problem }) => problem).join('; ');
  return new KafkaError(telling.code, `No broker answered (${problems})`, { cause: telling });
}
