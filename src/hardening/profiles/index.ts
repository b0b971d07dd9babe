import { apacheKafka, apacheKafkaNative } from './apache-kafka.ts';
import { bitnamiKafka } from './bitnami-kafka.ts';
import { cpKafka, cpServer } from './cp-kafka.ts';
import { plainKafka } from './kafka.ts';
import type { Profile, ProfileVersion } from './profile.ts';

/** Every profile, by the first half of its pin. */
export const profiles: readonly Profile[] = [
  apacheKafka,
  apacheKafkaNative,
  cpKafka,
  cpServer,
  bitnamiKafka,
  plainKafka,
];

/** A profile and one of its versions: what `kafka-warden.io/profile` pins. */
export interface Pin extends ProfileVersion {
  profile: Profile;
}

export const newestOf = (profile: Profile): Pin => ({
  profile,
  ...(profile.versions.at(-1) ?? profile.versions[0]),
});

export const textOf = ({ profile, version }: Pin): string => `${profile.family}/${version}`;

/** Every pin that is supported, oldest first within a family. */
export const pins: readonly Pin[] = profiles.flatMap((profile) =>
  profile.versions.map((version) => ({ profile, ...version })),
);

/** Reads a pin such as `apache-kafka/3`; undefined where it is not one of ours. */
export const parsePin = (text: string | undefined): Pin | undefined => pins.find((p) => textOf(p) === text);
