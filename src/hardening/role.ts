import { keys } from '../names.ts';
import { isGiven, literal, type Configuration } from './configuration.ts';
import type { Role, StatefulSet } from './model.ts';
import { isAtLeast, type KafkaVersion, type Profile } from './profiles/profile.ts';

/** What a role is read from. */
export interface RoleSource {
  set: StatefulSet;
  configuration: Configuration;
  profile: Profile;
  kafkaVersion: KafkaVersion | undefined;
}

const stateable: readonly Role[] = ['combined', 'broker', 'controller', 'zookeeper'];

/** The role that the annotation states; undefined where it states none that exists. */
export function statedRoleOf(set: StatefulSet): Role | undefined {
  const stated = set.metadata?.annotations?.[keys.role];
  return stateable.find((r) => r === stated);
}

/** The role of a literal `process.roles`; undefined for one that Kafka does not know. */
export function roleOfProcess(text: string): Role | undefined {
  const names = text.split(',').map((r) => r.trim());
  if (names.some((r) => r !== 'broker' && r !== 'controller')) return undefined;
  if (!names.includes('controller')) return 'broker';
  return names.includes('broker') ? 'combined' : 'controller';
}

/** The role that the manifest shows; undefined where nothing visible decides. */
export function visibleRoleOf(configuration: Configuration): Role | undefined {
  const roles = literal(configuration.property('process.roles'));
  if (roles !== undefined) return roleOfProcess(roles) ?? 'combined';
  return isGiven(configuration.property('zookeeper.connect')) ? 'zookeeper' : undefined;
}

/**
 * What the pods are to their cluster: as the annotation states, else as the configuration shows. What lies in a file or comes from
 * envFrom is `unseen` where ZooKeeper mode is possible: there the start decides.
 */
export function roleOf({ set, configuration, profile, kafkaVersion }: RoleSource): Role {
  const visible = statedRoleOf(set) ?? visibleRoleOf(configuration);
  if (visible !== undefined) return visible;
  const hidden =
    configuration.property('process.roles').state !== 'absent' ||
    configuration.property('zookeeper.connect').state !== 'absent';
  const mayBeOld = kafkaVersion === undefined || !isAtLeast(kafkaVersion, [4, 0]);
  return hidden && profile.zookeeper && mayBeOld ? 'unseen' : 'combined';
}
