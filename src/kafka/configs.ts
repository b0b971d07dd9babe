import {
  ConfigResourceTypes,
  ConfigSources,
  IncrementalAlterConfigOperationTypes,
  describeConfigsV4,
  incrementalAlterConfigsV1,
} from '@platformatic/kafka';
import type { Ask } from './ask.ts';

/** A topic, a broker, or the default of all brokers (`{ type: 'broker', name: '' }`). */
export interface ConfigResource {
  readonly type: 'topic' | 'broker';
  readonly name: string;
}

export const clusterDefault: ConfigResource = { type: 'broker', name: '' };

export type ConfigSource = 'topic' | 'broker' | 'cluster-default' | 'static' | 'default' | 'other';

export interface EffectiveConfig {
  readonly name: string;
  /** Absent where Kafka hides it. */
  readonly value: string | undefined;
  readonly source: ConfigSource;
  /** The values that would count without this one, nearest first; the first is the effective one. */
  readonly synonyms: readonly {
    readonly name: string;
    readonly value: string | undefined;
    readonly source: ConfigSource;
  }[];
}

export type ConfigChange =
  { readonly name: string; readonly set: string } | { readonly name: string; readonly remove: true };

export const resourceTypes = {
  topic: ConfigResourceTypes.TOPIC,
  broker: ConfigResourceTypes.BROKER,
} as const;

const sources: ReadonlyMap<number, ConfigSource> = new Map<number, ConfigSource>([
  [ConfigSources.DYNAMIC_TOPIC_CONFIG, 'topic'],
  [ConfigSources.DYNAMIC_BROKER_CONFIG, 'broker'],
  [ConfigSources.DYNAMIC_DEFAULT_BROKER_CONFIG, 'cluster-default'],
  [ConfigSources.STATIC_BROKER_CONFIG, 'static'],
  [ConfigSources.DEFAULT_CONFIG, 'default'],
]);

export const sourceOf = (value: number): ConfigSource => sources.get(value) ?? 'other';

/** A broker's own resource is asked of that broker, since no other one knows its static values. */
export async function describeConfigs(
  ask: Ask,
  resource: ConfigResource,
  keys?: readonly string[],
): Promise<EffectiveConfig[]> {
  const wanted = [
    {
      resourceType: resourceTypes[resource.type],
      resourceName: resource.name,
      configurationKeys: keys === undefined ? null : [...keys],
    },
  ];
  const own = resource.type === 'broker' && resource.name !== '';
  const { results } = own
    ? await ask.broker(Number(resource.name), describeConfigsV4.api, wanted, true, false)
    : await ask.any(describeConfigsV4.api, wanted, true, false);
  return results.flatMap(({ configs }) =>
    configs.map(({ name, value, configSource, synonyms }) => ({
      name,
      value: value ?? undefined,
      source: sourceOf(configSource),
      synonyms: synonyms.map((other) => ({
        name: other.name,
        value: other.value ?? undefined,
        source: sourceOf(other.source),
      })),
    })),
  );
}

/** Sets and removes single values; others stay (KIP-339). */
export async function alterConfigs(
  ask: Ask,
  change: { resource: ConfigResource; changes: readonly ConfigChange[]; broker: number | undefined },
): Promise<void> {
  const wanted = [
    {
      resourceType: resourceTypes[change.resource.type],
      resourceName: change.resource.name,
      configs: change.changes.map((one) =>
        'set' in one
          ? { name: one.name, configOperation: IncrementalAlterConfigOperationTypes.SET, value: one.set }
          : { name: one.name, configOperation: IncrementalAlterConfigOperationTypes.DELETE },
      ),
    },
  ];
  if (change.broker === undefined) await ask.any(incrementalAlterConfigsV1.api, wanted, false);
  else await ask.broker(change.broker, incrementalAlterConfigsV1.api, wanted, false);
}
