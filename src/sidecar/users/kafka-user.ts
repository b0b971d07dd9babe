import type { AclOperation, AclPattern, AclPermission, AclResourceType } from '../../kafka/acls.ts';
import type { Meta } from '../objects.ts';
import type { Condition } from '../conditions.ts';

/** A `KafkaUser` as a person writes it. */
export interface KafkaUser {
  readonly apiVersion: string;
  readonly kind: 'KafkaUser';
  readonly metadata: Meta;
  readonly spec: {
    readonly cluster: string;
    /** The object's name unless given. */
    readonly username?: string;
    readonly authentication?: 'scram-sha-512';
    readonly acls?: readonly AclRule[];
  };
  readonly status?: KafkaUserStatus;
}

export interface AclRule {
  readonly permission?: AclPermission;
  readonly resource: {
    readonly type: Extract<AclResourceType, 'topic' | 'group' | 'cluster' | 'transactionalId'>;
    readonly name?: string;
    readonly pattern?: AclPattern;
  };
  readonly operations: readonly AclOperation[];
  readonly host?: string;
}

export interface KafkaUserStatus {
  readonly observedGeneration?: number;
  readonly username?: string;
  readonly secret?: string;
  readonly bootstrap?: string;
  readonly conditions?: readonly Condition[];
}

/** The name by which Kafka knows the user. */
export const usernameOf = ({ metadata, spec }: KafkaUser): string => spec.username ?? metadata.name;
