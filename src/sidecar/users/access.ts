import { type Acl, aclKey, aclOperations } from '../../kafka/acls.ts';
import { type KafkaUser, usernameOf } from './kafka-user.ts';

/**
 * A name that may become a principal. Whatever looks like a distinguished name is refused: brokers, controllers and
 * the warden are super users by theirs, and SCRAM users share the same `User:` space. `ANONYMOUS` is everybody who did
 * not log in.
 */
export function nameProblem(name: string): string | undefined {
  if (/^ANONYMOUS$/i.test(name)) return 'ANONYMOUS stands for whoever did not log in';
  if (/[=,*]/.test(name))
    return `${JSON.stringify(name)} could be taken for a certificate's name or a wildcard`;
  if (!/^[A-Za-z0-9][A-Za-z0-9._@-]{0,126}$/.test(name)) {
    return `${JSON.stringify(name)} is not made of letters, digits and . _ @ -, beginning with a letter or digit`;
  }
  return undefined;
}

/** The entries that a user's rules mean, without repetition. */
export function aclsOf(user: KafkaUser): Acl[] {
  const principal = `User:${usernameOf(user)}`;
  const acls = (user.spec.acls ?? []).flatMap(({ permission = 'allow', resource, operations, host = '*' }) =>
    operations.map((operation): Acl => ({
      permission,
      resourceType: resource.type,
      resourceName: resource.type === 'cluster' ? 'kafka-cluster' : (resource.name ?? ''),
      pattern: resource.type === 'cluster' ? 'literal' : (resource.pattern ?? 'literal'),
      principal,
      host,
      operation,
    })),
  );
  return [...new Map(acls.map((acl) => [aclKey(acl), acl])).values()];
}

/** What is wrong with a user's rules, beyond what the API server checks. */
export function accessProblem(user: KafkaUser): string | undefined {
  for (const { resource, operations } of user.spec.acls ?? []) {
    if (resource.type !== 'cluster' && !resource.name) return `a rule about a ${resource.type} names none`;
    const unknown = operations.find((operation) => !aclOperations.includes(operation));
    if (unknown !== undefined) return `${unknown} is no operation; Kafka has ${aclOperations.join(', ')}`;
  }
  return undefined;
}

export interface AclChanges {
  readonly addDeny: readonly Acl[];
  readonly addAllow: readonly Acl[];
  readonly removeAllow: readonly Acl[];
  readonly removeDeny: readonly Acl[];
}

/**
 * What leads from the entries that are there to the wanted ones, in the order in which it is to be done: at no moment
 * may the user do what neither the old nor the new rules allow.
 */
export function aclChanges(held: readonly Acl[], wanted: readonly Acl[]): AclChanges {
  const lacking = without(wanted, held);
  const surplus = without(held, wanted);
  const of = (acls: readonly Acl[], permission: Acl['permission']) =>
    acls.filter((acl) => acl.permission === permission);
  return {
    addDeny: of(lacking, 'deny'),
    addAllow: of(lacking, 'allow'),
    removeAllow: of(surplus, 'allow'),
    removeDeny: of(surplus, 'deny'),
  };
}

function without(acls: readonly Acl[], others: readonly Acl[]): Acl[] {
  const known = new Set(others.map(aclKey));
  return acls.filter((acl) => !known.has(aclKey(acl)));
}
