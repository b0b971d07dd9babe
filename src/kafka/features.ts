import { apiVersionsV3, apiVersionsV4, createAPI, Writer } from '@platformatic/kafka';
import type { Ask } from './ask.ts';
import type { Address } from './connections.ts';
import { type Refusal, reasonOf, refusalOf } from './partitions.ts';
import { throwIfRefused } from './refused.ts';
import type { Features } from './versions.ts';

/** The levels of a feature that a node's software has. */
export interface FeatureRange {
  readonly min: number;
  readonly max: number;
}

/** What one node supports, and what it knows to be finalized. */
export interface NodeFeatures {
  /** Empty in ZooKeeper mode, and of features from level 0 on before Kafka 3.9. */
  readonly supported: ReadonlyMap<string, FeatureRange>;
  readonly finalized: Features;
}

/** One feature of an update, and Kafka's refusal of it. */
export interface FeatureOutcome {
  readonly feature: string;
  readonly error?: Refusal;
}

export interface FeatureUpdate {
  readonly feature: string;
  readonly level: number;
}

/**
 * Asks the broker or controller at an address what its software supports. Version 3 of the call leaves out features from
 * level 0 on, such as eligible leader replicas (KAFKA-17011); every node with such features has version 4.
 */
export async function featuresOf(ask: Pick<Ask, 'at'>, address: Address): Promise<NodeFeatures> {
  const client = ['kafka-warden', '1'] as const;
  const first = await ask.at(address, apiVersionsV3.api, ...client);
  const newest = first.apiKeys.find(({ apiKey }) => apiKey === apiVersionsV3.api.key)?.maxVersion ?? 0;
  const answer = newest < 4 ? first : await ask.at(address, apiVersionsV4.api, ...client);
  const { supportedFeatures = [], finalizedFeatures = [] } = answer;
  return {
    supported: new Map(
      supportedFeatures.map(({ name, minVersion, maxVersion }) => [
        name,
        { min: minVersion, max: maxVersion },
      ]),
    ),
    finalized: new Map(finalizedFeatures.map(({ name, maxVersionLevel }) => [name, maxVersionLevel])),
  };
}

const upgrade = 1;
const timeoutMs = 5_000;

interface UpdateAnswer {
  readonly refusal: Refusal | undefined;
  readonly outcomes: readonly FeatureOutcome[];
}

/** Before 4.0 each feature has its refusal, from then on the whole update has that of the first feature. */
const ofFeatures = new Set(['INVALID_UPDATE_VERSION', 'FEATURE_UPDATE_FAILED']);

/** UpdateFeatures version 1 (KIP-778, Kafka 3.3): upgrades only; a level below the finalized one is refused. */
const updateFeaturesV1 = createAPI<[updates: readonly FeatureUpdate[], validateOnly: boolean], UpdateAnswer>(
  57,
  1,
  (updates: readonly FeatureUpdate[], validateOnly: boolean) =>
    Writer.create()
      .appendInt32(timeoutMs)
      .appendArray([...updates], (one, { feature, level }) => {
        one.appendString(feature).appendInt16(level).appendInt8(upgrade);
      })
      .appendBoolean(validateOnly)
      .appendTaggedFields(),
  (_correlationId, key, version, reader) => {
    reader.readInt32();
    const code = reader.readInt16();
    const message = reader.readNullableString();
    if (!ofFeatures.has(reasonOf(code))) throwIfRefused({ key, version }, code, message);
    const outcomes = reader.readArray((one): FeatureOutcome => {
      const feature = one.readString();
      const error = refusalOf(one.readInt16(), one.readNullableString());
      return error === undefined ? { feature } : { feature, error };
    });
    return { refusal: refusalOf(code, message), outcomes };
  },
);

/** Finalizes higher levels of features, all or none of them; with `validateOnly` only says whether Kafka would. */
export async function updateFeatures(
  ask: Pick<Ask, 'any'>,
  updates: readonly FeatureUpdate[],
  { validateOnly }: { validateOnly: boolean },
): Promise<FeatureOutcome[]> {
  const { refusal, outcomes } = await ask.any(updateFeaturesV1, updates, validateOnly);
  return updates.map(({ feature }) => {
    const error = outcomes.find((one) => one.feature === feature)?.error ?? refusal;
    return error === undefined ? { feature } : { feature, error };
  });
}
