import type { KafkaVersion } from '../hardening/profiles/profile.ts';
import type { FeatureRange } from '../kafka/index.ts';

/** Names of features in Kafka's protocol. */
export const metadataFeature = 'metadata.version';
export const elrFeature = 'eligible.leader.replicas.version';

/** A level of `metadata.version`. */
export interface MetadataLevel {
  readonly level: number;
  /** `4.1-IV1` */
  readonly name: string;
  readonly release: KafkaVersion;
}

/** Names in the order of their levels, from 1 (`MetadataVersion.java`). */
const names = `
  3.0-IV1 3.1-IV0 3.2-IV0 3.3-IV0 3.3-IV1 3.3-IV2 3.3-IV3 3.4-IV0 3.5-IV0 3.5-IV1 3.5-IV2 3.6-IV0 3.6-IV1 3.6-IV2
  3.7-IV0 3.7-IV1 3.7-IV2 3.7-IV3 3.7-IV4 3.8-IV0 3.9-IV0 4.0-IV0 4.0-IV1 4.0-IV2 4.0-IV3 4.1-IV0 4.1-IV1
  4.2-IV0 4.2-IV1 4.3-IV0 4.4-IV0 4.4-IV1 4.4-IV2`;

/** Every level that is known, the oldest first. */
export const metadataLevels: readonly MetadataLevel[] = names
  .trim()
  .split(/\s+/)
  .map((name, index) => {
    const [major = 0, minor = 0] = name.split('-', 1).join().split('.').map(Number);
    return { level: index + 1, name, release: [major, minor] };
  });

/** Kafka 4.0 reads no older metadata (`MetadataVersion.MINIMUM_VERSION`: 3.3-IV3). */
export const oldestLevelOf4 = 7;

/** The name of a level; one that is not known is told by its number. */
export const metadataVersionName = (level: number): string =>
  metadataLevels.find((one) => one.level === level)?.name ?? `level ${level}`;

/** The release that a level came with; that of the newest known one for levels beyond. */
export const releaseOf = (level: number): KafkaVersion | undefined =>
  metadataLevels.findLast((one) => one.level <= level)?.release;

/** The newest level of a release: what its brokers support, and what `kafka-features upgrade --release-version` takes. */
export const newestLevelOf = ([major, minor]: KafkaVersion): number | undefined =>
  metadataLevels.findLast(({ release }) => release[0] === major && release[1] === minor)?.level;

/**
 * What a person asks for: a release (`4.1`: its newest level; `4.1.0` likewise), a name (`4.1-IV0`) or a level (`26`). A level
 * beyond the known ones is taken as it is: the brokers say whether they have it.
 */
export function parseMetadataVersion(text: string): { level: number; name: string } | undefined {
  const trimmed = text.trim();
  const named = metadataLevels.find(({ name }) => name.toLowerCase() === trimmed.toLowerCase());
  if (named !== undefined) return { level: named.level, name: named.name };
  const [, major, minor] = /^(\d{1,2})\.(\d{1,2})(?:\.\d{1,3})?$/.exec(trimmed) ?? [];
  const level =
    major === undefined
      ? /^\d{1,4}$/.test(trimmed)
        ? Number(trimmed)
        : undefined
      : newestLevelOf([Number(major), Number(minor)]);
  return level === undefined || level < 1 ? undefined : { level, name: metadataVersionName(level) };
}

/** The level of a name as a status tells it: `3.9-IV0`, `level 40`. */
export const levelOfName = (name: string): number | undefined => {
  const [, number] = /^level (\d+)$/.exec(name) ?? [];
  return number === undefined ? metadataLevels.find((one) => one.name === name)?.level : Number(number);
};

/** The least `metadata.version` that eligible leader replicas need (`EligibleLeaderReplicasVersion`: 4.0-IV1). */
export const oldestLevelOfElr = 23;

const otherNames = ['kraft.version', 'transaction.version', 'group.version', elrFeature, 'share.version'];

/** Newest levels of the other features, by the release from which on (`Feature.java`; read from the jars of 3.9.1 and 4.1.0). */
const otherFeatures: readonly (readonly [KafkaVersion, ReadonlyMap<string, number>])[] = (
  [
    [
      [3, 0],
      [0, 0, 0, 0, 0],
    ],
    [
      [3, 9],
      [1, 0, 0, 0, 0],
    ],
    [
      [4, 0],
      [1, 2, 1, 1, 0],
    ],
    [
      [4, 1],
      [1, 2, 1, 1, 1],
    ],
  ] as const
).map(([from, levels]) => [from, new Map(otherNames.map((name, index) => [name, levels[index] ?? 0]))]);

/**
 * What brokers of a release support of a feature, where that is known: a finalized level outside of it keeps them from
 * joining (`ClusterControlManager.registerBroker`).
 */
export function supportedBy(release: KafkaVersion, feature: string): FeatureRange | undefined {
  const newest = newestLevelOf(release);
  if (newest === undefined) return undefined;
  if (feature === metadataFeature) return { min: release[0] >= 4 ? oldestLevelOf4 : 1, max: newest };
  const levels = otherFeatures.findLast(([from]) => compareVersions(from, release) <= 0)?.[1];
  const max = levels?.get(feature);
  return max === undefined ? undefined : { min: 0, max };
}

/** Below zero where `a` is the older one. */
export const compareVersions = (a: KafkaVersion, b: KafkaVersion): number => a[0] - b[0] || a[1] - b[1];
