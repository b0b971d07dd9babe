import {
  createAclsV2,
  createAclsV3,
  deleteAclsV2,
  deleteAclsV3,
  describeAclsV2,
  describeAclsV3,
} from '@platformatic/kafka';
import { type Acl, filterOf, fromWire, toWire } from './acls.ts';
import type { Ask } from './ask.ts';
import { supported } from './versions.ts';

/** Version 3 came with Kafka 3.3; it differs from version 2 by the resource type `user` only (KIP-373). */
const calls = {
  create: [createAclsV3.api, createAclsV2.api],
  delete: [deleteAclsV3.api, deleteAclsV2.api],
  describe: [describeAclsV3.api, describeAclsV2.api],
} as const;

/** In ZooKeeper mode every broker writes access rules itself; in KRaft it forwards them (`KafkaApis`, `AclApis`). */
export async function createAcls(ask: Ask, acls: readonly Acl[]): Promise<void> {
  if (acls.length > 0) await ask.any(supported(await ask.versions(), calls.create), acls.map(toWire));
}

export async function deleteAcls(ask: Ask, acls: readonly Acl[]): Promise<void> {
  if (acls.length > 0) await ask.any(supported(await ask.versions(), calls.delete), acls.map(toWire));
}

/** All entries of kinds that this client knows, or those of one principal. */
export async function describeAcls(ask: Ask, principal?: string): Promise<Acl[]> {
  const call = supported(await ask.versions(), calls.describe);
  const { resources } = await ask.any(call, filterOf(principal));
  const entries = resources.flatMap(({ acls, ...target }) => acls.map((acl) => ({ ...target, ...acl })));
  return entries.map(fromWire).filter((acl) => acl !== undefined);
}
