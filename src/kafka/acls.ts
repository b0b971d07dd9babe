import {
  AclOperations,
  AclPermissionTypes,
  type AclFilter,
  type Acl as WireAcl,
  ResourcePatternTypes,
  ResourceTypes,
} from '@platformatic/kafka';

const resourceTypes = {
  topic: ResourceTypes.TOPIC,
  group: ResourceTypes.GROUP,
  cluster: ResourceTypes.CLUSTER,
  transactionalId: ResourceTypes.TRANSACTIONAL_ID,
  delegationToken: ResourceTypes.DELEGATION_TOKEN,
  user: ResourceTypes.USER,
} as const;

const patterns = {
  literal: ResourcePatternTypes.LITERAL,
  prefixed: ResourcePatternTypes.PREFIXED,
} as const;

const permissions = { allow: AclPermissionTypes.ALLOW, deny: AclPermissionTypes.DENY } as const;

const operations = {
  All: AclOperations.ALL,
  Read: AclOperations.READ,
  Write: AclOperations.WRITE,
  Create: AclOperations.CREATE,
  Delete: AclOperations.DELETE,
  Alter: AclOperations.ALTER,
  Describe: AclOperations.DESCRIBE,
  ClusterAction: AclOperations.CLUSTER_ACTION,
  DescribeConfigs: AclOperations.DESCRIBE_CONFIGS,
  AlterConfigs: AclOperations.ALTER_CONFIGS,
  IdempotentWrite: AclOperations.IDEMPOTENT_WRITE,
  CreateTokens: AclOperations.CREATE_TOKENS,
  DescribeTokens: AclOperations.DESCRIBE_TOKENS,
  TwoPhaseCommit: AclOperations.TWO_PHASE_COMMIT,
} as const;

export type AclOperation = keyof typeof operations;
export type AclPermission = keyof typeof permissions;
export type AclPattern = keyof typeof patterns;
export type AclResourceType = keyof typeof resourceTypes;

export const aclOperations = Object.keys(operations) as AclOperation[];

/** One access control entry. `principal` is written `User:NAME`; the resource of type `cluster` is named `kafka-cluster`. */
export interface Acl {
  readonly permission: AclPermission;
  readonly resourceType: AclResourceType;
  readonly resourceName: string;
  readonly pattern: AclPattern;
  readonly principal: string;
  readonly host: string;
  readonly operation: AclOperation;
}

/** One text for equal entries, to compare sets of them. */
export const aclKey = (acl: Acl): string =>
  JSON.stringify([
    acl.principal,
    acl.permission,
    acl.resourceType,
    acl.pattern,
    acl.resourceName,
    acl.host,
    acl.operation,
  ]);

export const toWire = (acl: Acl): WireAcl => ({
  resourceType: resourceTypes[acl.resourceType],
  resourceName: acl.resourceName,
  resourcePatternType: patterns[acl.pattern],
  principal: acl.principal,
  host: acl.host,
  operation: operations[acl.operation],
  permissionType: permissions[acl.permission],
});

const nameOf = <T extends Record<string, number>>(table: T, value: number): keyof T | undefined =>
  Object.keys(table).find((name) => table[name] === value);

/** `undefined` for an entry of a kind that this client does not know, which it then leaves alone. */
export function fromWire(acl: WireAcl): Acl | undefined {
  const resourceType = nameOf(resourceTypes, acl.resourceType);
  const pattern = nameOf(patterns, acl.resourcePatternType);
  const operation = nameOf(operations, acl.operation);
  const permission = nameOf(permissions, acl.permissionType);
  if (resourceType === undefined || pattern === undefined) return undefined;
  if (operation === undefined || permission === undefined) return undefined;
  const { resourceName, principal, host } = acl;
  return { permission, resourceType, resourceName, pattern, principal, host, operation };
}

/** All entries, or those of one principal. */
export const filterOf = (principal?: string): AclFilter => ({
  resourceType: ResourceTypes.ANY,
  resourceName: null,
  resourcePatternType: ResourcePatternTypes.ANY,
  principal: principal ?? null,
  host: null,
  operation: AclOperations.ANY,
  permissionType: AclPermissionTypes.ANY,
});
