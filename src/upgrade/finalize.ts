import type { FeatureRange, Features, MetadataMode } from '../kafka/index.ts';
import {
  elrFeature,
  metadataFeature,
  metadataVersionName,
  oldestLevelOfElr,
  parseMetadataVersion,
} from './metadata-versions.ts';

/** A broker or controller, and what its software supports; `supported` is missing where it does not answer. */
export interface NodeSupport {
  readonly id: number;
  readonly pod: string;
  readonly supported?: ReadonlyMap<string, FeatureRange> | undefined;
}

/** The cluster as it is when a feature is to be finalized. */
export interface FinalizeFacts {
  readonly mode: MetadataMode;
  readonly finalized: Features;
  readonly nodes: readonly NodeSupport[];
  /** Ids of registered brokers that no pod of the cluster has. */
  readonly stale: readonly number[];
  readonly underReplicated: number;
  /** Something that is under way: a roll, an eviction, a pod that is not ready. */
  readonly busy?: string | undefined;
}

/** What a person asked for, by StatefulSet. */
export type Asked = ReadonlyMap<string, string>;

export type FinalizeDecision =
  | { readonly action: 'done'; readonly message: string }
  | { readonly action: 'wait'; readonly message: string }
  | { readonly action: 'refuse'; readonly reason: string; readonly message: string }
  | { readonly action: 'update'; readonly feature: string; readonly level: number; readonly message: string };

const refuse = (reason: string, message: string): FinalizeDecision => ({ action: 'refuse', reason, message });
const wait = (message: string): FinalizeDecision => ({ action: 'wait', message });

/** What is asked of a cluster as one value; a refusal where its sets ask for different ones; undefined where nobody asks. */
function agreed(asked: Asked, what: string): { value: string } | FinalizeDecision | undefined {
  const values = [...new Set([...asked.values()].map((one) => one.trim()))];
  const [value] = values;
  if (value === undefined) return undefined;
  if (values.length === 1) return { value };
  const told = [...asked].map(([set, one]) => `${set}: ${one}`).join(', ');
  return refuse(
    'Conflicting',
    `The StatefulSets ask for different values of ${what} (${told}). Give all the same one.`,
  );
}

/** Whether `metadata.version` goes up now, and to which level; it never goes back. */
export function decideMetadataVersion(asked: Asked, facts: FinalizeFacts): FinalizeDecision | undefined {
  const one = agreed(asked, metadataFeature);
  if (one === undefined || 'action' in one) return one;
  if (facts.mode === 'zookeeper') return inZookeeper(metadataFeature);
  const wanted = parseMetadataVersion(one.value);
  if (wanted === undefined)
    return refuse(
      'NotAVersion',
      `"${one.value}" is no metadata.version that is known. Give a release such as 4.1, a name such as 4.1-IV1, or a level.`,
    );
  const { level, name } = wanted;
  const now = facts.finalized.get(metadataFeature) ?? 0;
  if (now === level) return { action: 'done', message: `metadata.version is ${name}.` };
  if (now > level)
    return refuse(
      'NeverBack',
      `metadata.version is ${metadataVersionName(now)}, and is not taken back to ${name}: Kafka refuses that wherever the metadata changed in between. Ask for ${metadataVersionName(now)} or later, or remove the annotation.`,
    );
  return supported({ feature: metadataFeature, level, shown: name }, facts);
}

/** Whether eligible leader replicas are switched on now (KIP-966). */
export function decideEligibleLeaders(asked: Asked, facts: FinalizeFacts): FinalizeDecision | undefined {
  const one = agreed(asked, elrFeature);
  if (one === undefined || 'action' in one) return one;
  const isOn = (facts.finalized.get(elrFeature) ?? 0) > 0;
  if (one.value === 'false')
    return isOn
      ? refuse(
          'NeverBack',
          'Eligible leader replicas are on and are not switched off. Remove the annotation.',
        )
      : undefined;
  if (one.value !== 'true')
    return refuse(
      'NotAValue',
      `"${one.value}" is neither true nor false. Give true, or remove the annotation.`,
    );
  if (facts.mode === 'zookeeper') return inZookeeper(elrFeature);
  if (isOn) return { action: 'done', message: 'Eligible leader replicas are on.' };
  const now = facts.finalized.get(metadataFeature) ?? 0;
  if (now < oldestLevelOfElr)
    return refuse(
      'MetadataVersionTooOld',
      `Eligible leader replicas need metadata.version ${metadataVersionName(oldestLevelOfElr)} or later; it is ${metadataVersionName(now)}. Finalize that first: kafka-warden upgrade finalize CLUSTER --metadata-version 4.1.`,
    );
  return supported({ feature: elrFeature, level: 1, shown: '1' }, facts);
}

const inZookeeper = (feature: string): FinalizeDecision =>
  refuse(
    'ZooKeeper',
    `In ZooKeeper mode there is no ${feature}. Remove the annotation, or migrate to KRaft first.`,
  );

interface Target {
  readonly feature: string;
  readonly level: number;
  readonly shown: string;
}

/**
 * The active controller checks brokers, and other controllers only from 3.7-IV0 on, so every node is asked itself. What may
 * pass by itself is waited for, what needs a person is refused.
 */
function supported(target: Target, facts: FinalizeFacts): FinalizeDecision {
  const { feature, level, shown } = target;
  const silent = facts.nodes.filter((node) => node.supported === undefined);
  if (facts.nodes.length === 0) return wait('The brokers have not been asked yet.');
  if (silent.length > 0) return wait(`${podsOf(silent)} did not say which versions they support.`);
  if (facts.busy !== undefined) return wait(`${facts.busy}.`);
  const old = facts.nodes.filter((node) => !holds(node, target));
  if (old.length > 0)
    return refuse(
      'NotSupported',
      `${podsOf(old)} run software without ${feature} ${shown}. Upgrade their image first: kafka-warden upgrade check CLUSTER.`,
    );
  if (facts.stale.length > 0)
    return refuse(
      'StaleRegistrations',
      `Brokers ${facts.stale.slice(0, 10).join(', ')} are registered, and no pod of the cluster is one of them. Unregister those that are gone for good: kafka-cluster.sh unregister --id ID.`,
    );
  if (facts.underReplicated > 0) return wait(`${facts.underReplicated} partitions are not fully in sync.`);
  return { action: 'update', feature, level, message: `${feature} goes to ${shown}.` };
}

const podsOf = (nodes: readonly NodeSupport[]): string => {
  const names = nodes.slice(0, 10).map(({ pod }) => pod);
  return nodes.length > names.length
    ? `${names.join(', ')} and ${nodes.length - names.length} more`
    : names.join(', ');
};

const holds = ({ supported: ranges }: NodeSupport, { feature, level }: Target): boolean => {
  const range = ranges?.get(feature);
  return range !== undefined && level >= range.min && level <= range.max;
};
