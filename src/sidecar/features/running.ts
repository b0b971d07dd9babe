import type { StatefulSet as Manifested } from '../../hardening/model.ts';
import type { KafkaVersion } from '../../hardening/profiles/profile.ts';
import type { Features, MetadataMode, NodeFeatures } from '../../kafka/index.ts';
import {
  type Manifest,
  type NodeSupport,
  type Running,
  elrFeature,
  levelOfName,
  manifestOf,
  metadataFeature,
  releaseOf,
  versionOfImage,
} from '../../upgrade/index.ts';
import { type ClusterSet, nodeIdOf, ordinalOf, podNames } from '../cluster-set.ts';
import { type Pod, type StatefulSet, isReady } from '../objects.ts';
import type { ClusterStatus } from '../status/kafka-cluster.ts';
import type { World } from '../world.ts';

/** What Kafka was last heard to say, by the UID of the pod that said it. */
export interface Heard {
  readonly nodes: ReadonlyMap<string, NodeFeatures>;
  readonly finalized: Features;
  readonly mode: MetadataMode;
  readonly stale: readonly number[];
}

const manifests = new WeakMap<StatefulSet, { manifest: Manifest | undefined }>();

/** Objects of the informers never change: each is read once. */
export function manifestOfSet({ object }: ClusterSet): Manifest | undefined {
  const known = manifests.get(object) ?? { manifest: manifestOf(object as unknown as Manifested) };
  manifests.set(object, known);
  return known.manifest;
}

export const podsOf = (set: ClusterSet, pods: readonly Pod[]): Pod[] =>
  pods.filter(({ metadata }) => ordinalOf(set, metadata.name) !== undefined);

const imageIn = (pod: Pod, { container }: Manifest): string | undefined =>
  pod.spec?.containers.find(({ name }) => name === container.name)?.image;

/** The software of a pod: as it told itself, else as its image does. */
function versionOfPod(pod: Pod, manifest: Manifest, heard: Heard | undefined): KafkaVersion | undefined {
  const newest = heard?.nodes.get(pod.metadata.uid)?.supported.get(metadataFeature)?.max;
  if (newest !== undefined) return releaseOf(newest);
  const image = imageIn(pod, manifest);
  return image === undefined ? undefined : versionOfImage(image, manifest.profile);
}

/** What a status tells of finalized features; undefined where it tells of none. */
function finalizedIn(status: Partial<ClusterStatus> | undefined): Features | undefined {
  const level = levelOfName(status?.metadataVersion ?? '');
  if (level === undefined) return undefined;
  const elr = status?.eligibleLeaderReplicas === true ? 1 : 0;
  return new Map([
    [metadataFeature, level],
    [elrFeature, elr],
  ]);
}

/** What is known of the pods of a set and of the cluster; what the status told last stands in where nobody was heard yet. */
export function runningOf(set: ClusterSet, manifest: Manifest, { world, heard }: Known): Running {
  const status = world.kafkaCluster?.status;
  const finalized = heard?.finalized ?? finalizedIn(status);
  return {
    versions: podsOf(set, world.pods).flatMap((pod) => {
      const version = versionOfPod(pod, manifest, heard);
      return version === undefined ? [] : [version];
    }),
    mode: heard?.mode ?? status?.mode,
    finalized,
    ...(heard === undefined ? {} : { stale: heard.stale }),
  };
}

export interface Known {
  readonly world: Pick<World, 'pods' | 'kafkaCluster'>;
  readonly heard: Heard | undefined;
}

/** Whether pods of the set still run another image than its template has. */
export const isPending = (set: ClusterSet, manifest: Manifest, pods: readonly Pod[]): boolean =>
  podsOf(set, pods).some((pod) => imageIn(pod, manifest) !== manifest.image);

/** Every node of the cluster, with what it supports where it was heard. */
export const supportOf = (sets: readonly ClusterSet[], pods: readonly Pod[], heard: Heard): NodeSupport[] =>
  sets.flatMap((set) =>
    podNames(set).map((name) => {
      const pod = pods.find(({ metadata }) => metadata.name === name);
      const supported = pod === undefined ? undefined : heard.nodes.get(pod.metadata.uid)?.supported;
      return { id: nodeIdOf(set, ordinalOf(set, name) ?? 0), pod: name, supported };
    }),
  );

/** What of the cluster is in motion, by which it is no time to finalize anything; undefined where nothing is. */
export function motionOf(sets: readonly ClusterSet[], pods: readonly Pod[]): string | undefined {
  for (const set of sets) {
    const { generation = 0 } = set.object.metadata;
    const { observedGeneration = 0, updateRevision } = set.object.status ?? {};
    if (observedGeneration < generation) return `StatefulSet ${set.name} has just been changed`;
    for (const name of podNames(set)) {
      const pod = pods.find(({ metadata }) => metadata.name === name);
      if (pod === undefined || !isReady(pod)) return `${name} is not ready`;
      if (pod.metadata.labels?.['controller-revision-hash'] !== updateRevision)
        return `${name} has not the newest template of ${set.name} yet`;
    }
  }
  return undefined;
}
