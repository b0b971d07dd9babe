import { IncrementalAlterConfigOperationTypes, type Reader, Writer, createAPI } from '@platformatic/kafka';
import type { Ask } from './ask.ts';
import {
  type ConfigChange,
  type ConfigResource,
  type EffectiveConfig,
  resourceTypes,
  sourceOf,
} from './configs.ts';
import { KafkaError } from './errors.ts';
import { type Refusal, chunksOf, refusalFrom, refusalOf } from './partitions.ts';
import { throwIfElsewhere } from './refused.ts';
import { supported } from './versions.ts';

export interface ResourceConfigs {
  readonly resource: ConfigResource;
  readonly configs: readonly EffectiveConfig[];
}

export interface ResourceChanges {
  readonly resource: ConfigResource;
  readonly changes: readonly ConfigChange[];
}

/** What became of one resource; without `error` it was changed. */
export interface ResourceOutcome {
  readonly resource: ConfigResource;
  readonly error?: Refusal;
}

export const resourcesPerRequest = 500;

interface Described extends ResourceConfigs {
  readonly error: Refusal | undefined;
}

const describeConfigsV4 = createAPI<
  [resources: readonly ConfigResource[], keys: readonly string[] | undefined],
  Described[]
>(
  32,
  4,
  (resources: readonly ConfigResource[], keys: readonly string[] | undefined) =>
    Writer.create()
      .appendArray([...resources], (one, { type, name }) => {
        one.appendInt8(resourceTypes[type]).appendString(name);
        const wanted = keys === undefined ? null : [...keys];
        one.appendArray(wanted, (w, key) => w.appendString(key), true, false);
      })
      .appendBoolean(true)
      .appendBoolean(false)
      .appendTaggedFields(),
  (_correlationId, _key, _version, reader) => {
    reader.readInt32();
    return reader.readArray((one) => {
      const error = refusalOf(one.readInt16(), one.readNullableString());
      return { error, resource: readResource(one), configs: one.readArray(readConfig) };
    });
  },
);

function readConfig(reader: Reader): EffectiveConfig {
  const name = reader.readString();
  const value = reader.readNullableString() ?? undefined;
  reader.readBoolean();
  const source = sourceOf(reader.readInt8());
  reader.readBoolean();
  const synonyms = reader.readArray((one) => ({
    name: one.readString(),
    value: one.readNullableString() ?? undefined,
    source: sourceOf(one.readInt8()),
  }));
  reader.readInt8();
  reader.readNullableString();
  return { name, value, source, synonyms };
}

const readResource = (reader: Reader): ConfigResource => {
  const type = reader.readInt8() === resourceTypes.topic ? 'topic' : 'broker';
  return { type, name: reader.readString() };
};

export const incrementalAlterConfigsV1 = createAPI<[changes: readonly ResourceChanges[]], ResourceOutcome[]>(
  44,
  1,
  (changes: readonly ResourceChanges[]) =>
    Writer.create()
      .appendArray([...changes], (one, { resource, changes: own }) => {
        one.appendInt8(resourceTypes[resource.type]).appendString(resource.name);
        one.appendArray([...own], (w, change) => {
          w.appendString(change.name);
          if ('set' in change)
            w.appendInt8(IncrementalAlterConfigOperationTypes.SET).appendString(change.set);
          else w.appendInt8(IncrementalAlterConfigOperationTypes.DELETE).appendString(null);
        });
      })
      .appendBoolean(false)
      .appendTaggedFields(),
  (_correlationId, key, version, reader) => {
    reader.readInt32();
    const outcomes = reader.readArray((one): ResourceOutcome => {
      const error = refusalOf(one.readInt16(), one.readNullableString());
      const resource = readResource(one);
      return error === undefined ? { resource } : { resource, error };
    });
    // A controller that is not the active one says so of each resource, not of the call.
    throwIfElsewhere({ key, version }, outcomes);
    return outcomes;
  },
);

/** The broker that alone may be asked about a resource; none where any may. */
const ownerOf = ({ type, name }: ConfigResource): number | undefined =>
  type === 'broker' && name !== '' ? Number(name) : undefined;

/** Resources in requests: those that any broker answers together, then each broker's own. */
function requestsOf<T>(items: readonly T[], resourceOf: (item: T) => ConfigResource) {
  const owned = new Map<number | undefined, T[]>();
  for (const item of items) {
    const owner = ownerOf(resourceOf(item));
    const own = owned.get(owner);
    if (own === undefined) owned.set(owner, [item]);
    else own.push(item);
  }
  return [...owned].flatMap(([owner, some]) =>
    chunksOf(some, resourcesPerRequest).map((part) => ({ owner, part })),
  );
}

/**
 * Configuration of several resources, in few calls; topics that do not exist are left out. Throws where a broker whose
 * own resource is asked for is away, since no other one knows its values.
 */
export async function describeManyConfigs(
  ask: Ask,
  resources: readonly ConfigResource[],
  keys?: readonly string[],
): Promise<ResourceConfigs[]> {
  if (resources.length === 0) return [];
  const call = supported(await ask.versions(), [describeConfigsV4]);
  const answers: Described[] = [];
  for (const { owner, part } of requestsOf(resources, (one) => one)) {
    const answer = owner === undefined ? ask.any(call, part, keys) : ask.broker(owner, call, part, keys);
    answers.push(...(await answer));
  }
  return answers.flatMap(({ resource, configs, error }) => {
    if (error === undefined) return [{ resource, configs }];
    if (error.reason === 'UNKNOWN_TOPIC_OR_PARTITION') return [];
    throw new KafkaError(
      'kafka-refused',
      `The configuration of ${nameOf(resource)} was refused with ${error.reason}: ${error.message}`,
      { reason: error.reason },
    );
  });
}

/**
 * Changes several resources; what becomes of each is told apart, since some may be changed and others refused. A broker's
 * own resource is sent to that broker and refused where it is away.
 */
export async function alterManyConfigs(
  ask: Ask,
  changes: readonly ResourceChanges[],
): Promise<ResourceOutcome[]> {
  if (changes.length === 0) return [];
  const call = supported(await ask.versions(), [incrementalAlterConfigsV1]);
  const outcomes: ResourceOutcome[] = [];
  for (const { owner, part } of requestsOf(changes, ({ resource }) => resource)) {
    try {
      outcomes.push(...(await (owner === undefined ? ask.any(call, part) : ask.broker(owner, call, part))));
    } catch (error) {
      if (!(error instanceof KafkaError)) throw error;
      outcomes.push(...part.map(({ resource }) => ({ resource, error: refusalFrom(error) })));
    }
  }
  return outcomes;
}

const nameOf = ({ type, name }: ConfigResource): string =>
  name === '' ? "the brokers' default" : `${type} ${name}`;
