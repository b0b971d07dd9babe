import { startOf } from '../hardening/command.ts';
import { configurationOf } from '../hardening/configuration.ts';
import { vanillaOf } from '../hardening/harden.ts';
import { parseImage, repositoryOf, versionOf, type ImageReference } from '../hardening/image.ts';
import { layoutOf } from '../hardening/layout.ts';
import type { StatefulSet } from '../hardening/model.ts';
import { families } from '../hardening/profiles/families.ts';
import type { KafkaVersion, Profile } from '../hardening/profiles/profile.ts';
import { recognise } from '../hardening/recognise.ts';
import { statedRoleOf, visibleRoleOf } from '../hardening/role.ts';
import { keys } from '../names.ts';
import type { Configured } from './configuration-check.ts';
import { type UpgradeFinding, warning } from './finding.ts';

/** What a StatefulSet says of the Kafka that it wants. */
export interface Manifest extends Configured {
  readonly name: string;
  readonly containerIndex: number;
  readonly image: string;
  readonly profile: Profile;
  /** Undefined where neither a known image's tag nor the annotation tells. */
  readonly version: KafkaVersion | undefined;
  /** `known`: an image whose Java and log4j are known to fit its Kafka. */
  readonly isKnownImage: boolean;
  readonly mode: 'kraft' | 'zookeeper' | undefined;
  /** What is wrong with how it says so. */
  readonly findings: readonly UpgradeFinding[];
}

/** Only the tags of published images are Kafka's versions for certain; a private one may count anything. */
export const isKnownImage = (image: ImageReference): boolean =>
  families.some(
    ({ profile, repositories }) => profile !== undefined && repositories.includes(repositoryOf(image)),
  );

/** Kafka's version of an image, where its tag tells for certain. */
export const versionOfImage = (
  image: string,
  profile: Pick<Profile, 'kafkaOf'>,
): KafkaVersion | undefined => {
  const reference = parseImage(image);
  return isKnownImage(reference) ? profile.kafkaOf(reference) : undefined;
};

/** A known image's tag is what runs, whatever an annotation of last year says. */
function wantedVersion(set: StatefulSet, image: string, profile: Profile) {
  const stated = versionOf(set.metadata?.annotations?.[keys.kafkaVersion]);
  const told = versionOfImage(image, profile);
  if (told === undefined || stated === undefined || stated.join() === told.join())
    return { version: told ?? stated, findings: [] };
  const message = `${keys.kafkaVersion} says ${stated.join('.')}, but the image ${image} is Kafka ${told.join('.')}`;
  const remedy = 'Remove the annotation: the tag of this image tells the version.';
  return { version: told, findings: [warning(keys.kafkaVersion, message, remedy)] };
}

/** Reads a StatefulSet, hardened or not; undefined for one that runs no Kafka that can be recognised. */
export function manifestOf(object: StatefulSet): Manifest | undefined {
  const set = vanillaOf(object);
  const seen = recognise(set);
  if (seen.kind !== 'kafka') return undefined;
  const { container, profile, index } = seen;
  const pod = set.spec?.template.spec ?? { containers: [] };
  const start = startOf(container, { entrypoints: profile.entrypoints, pod });
  const configuration = configurationOf(container, { start, pod, profile });
  const image = container.image ?? '';
  const role = layoutOf(object)?.role ?? statedRoleOf(set) ?? visibleRoleOf(configuration);
  const shown =
    role === undefined || role === 'unseen' ? undefined : role === 'zookeeper' ? 'zookeeper' : 'kraft';
  return {
    name: set.metadata?.name ?? '',
    container,
    containerIndex: index,
    configuration,
    image,
    profile,
    ...wantedVersion(set, image, profile),
    isKnownImage: isKnownImage(parseImage(image)),
    mode: shown ?? (profile.zookeeper ? undefined : 'kraft'),
  };
}
