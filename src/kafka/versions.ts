import { type API, apiVersionsV3, describeQuorumV1 } from '@platformatic/kafka';
import type { Ask } from './ask.ts';
import { KafkaError } from './errors.ts';

/** Finalized feature levels, by name (`metadata.version`, `eligible.leader.replicas.version`, `kraft.version`). */
export type Features = ReadonlyMap<string, number>;

/** Where a cluster keeps its metadata. */
export type MetadataMode = 'kraft' | 'zookeeper';

/** What a broker supports, and what its cluster has finalized. */
export interface ApiVersions {
  /** The newest version of each call, by the call's key. */
  readonly newest: ReadonlyMap<number, number>;
  readonly features: Features;
  readonly mode: MetadataMode;
}

/** Brokers in ZooKeeper mode do not list the calls of the quorum (`listeners` in `DescribeQuorumRequest.json`). */
export const modeOf = (newest: ApiVersions['newest']): MetadataMode =>
  newest.has(describeQuorumV1.api.key) ? 'kraft' : 'zookeeper';

/** Asks the first broker that answers. */
export async function apiVersions(ask: Pick<Ask, 'any'>): Promise<ApiVersions> {
  const { apiKeys, finalizedFeatures = [] } = await ask.any(apiVersionsV3.api, 'kafka-warden', '1');
  const newest = new Map(apiKeys.map(({ apiKey, maxVersion }) => [apiKey, maxVersion]));
  return {
    newest,
    features: new Map(finalizedFeatures.map(({ name, maxVersionLevel }) => [name, maxVersionLevel])),
    mode: modeOf(newest),
  };
}

/** The first of a call's versions, given newest first, that the broker has. Throws `kafka-unsupported` where it has none. */
export function supported<A extends unknown[], R>(
  { newest }: Pick<ApiVersions, 'newest'>,
  versions: readonly API<A, R>[],
): API<A, R> {
  const found = versions.find(({ key, version }) => (newest.get(key) ?? -1) >= version);
  if (found !== undefined) return found;
  const [wanted] = versions;
  throw new KafkaError('kafka-unsupported', `The broker has no version of call ${wanted?.key} that is known`);
}
