import type { ClusterModel } from '../../balance/index.ts';
import { isStatus, type Kube } from '../../kubernetes/client.ts';
import { paths } from '../../kubernetes/paths.ts';
import { keys } from '../../names.ts';
import type { KafkaRebalance } from './kafka-rebalance.ts';
import type { RebalancePlan } from './plan.ts';
import {
  chunkKey,
  chunkName,
  chunksOf,
  type Content,
  type PreparedPlan,
  StoredPlanError,
  type StoredConfigMap,
  unpack,
} from './plan-chunks.ts';

const namespaceOf = ({ metadata }: KafkaRebalance): string => metadata.namespace ?? 'default';

const belongsTo = (configMap: StoredConfigMap, { metadata }: KafkaRebalance): boolean =>
  (configMap.metadata.ownerReferences ?? []).some(({ uid }) => uid === metadata.uid);

/** Creates a chunk; one that is there with other content, which only a forger or another zlib leaves, is replaced. */
async function put(kube: Kube, rebalance: KafkaRebalance, chunk: StoredConfigMap): Promise<void> {
  const namespace = namespaceOf(rebalance);
  const path = paths.configmaps(namespace, chunk.metadata.name);
  const create = () => kube.create(paths.configmaps(namespace), chunk);
  try {
    await create();
  } catch (error) {
    if (!isStatus(error, 409)) throw error;
    const there = await kube.tryGet<StoredConfigMap>(path);
    const same = there?.binaryData?.[chunkKey] === chunk.binaryData?.[chunkKey];
    if (there !== undefined && same && belongsTo(there, rebalance)) return;
    const uid = there?.metadata.uid;
    if (there !== undefined) await kube.remove(path, uid === undefined ? {} : { preconditions: { uid } });
    await create();
  }
}

/** Removes what is stored for this object under other hashes. */
async function removeOthers(kube: Kube, rebalance: KafkaRebalance, kept: ReadonlySet<string>): Promise<void> {
  const namespace = namespaceOf(rebalance);
  const labelSelector = `${keys.rebalance}=${rebalance.metadata.name}`;
  const all = await kube.list<StoredConfigMap>(paths.configmaps(namespace), { labelSelector });
  for (const one of all) {
    const { name = '', uid } = one.metadata;
    if (kept.has(name) || !belongsTo(one, rebalance)) continue;
    await kube.remove(paths.configmaps(namespace, name), uid === undefined ? {} : { preconditions: { uid } });
  }
}

/**
 * Stores a proposal beside its KafkaRebalance, then removes earlier ones. Safe to repeat. The owner reference has the
 * garbage collector remove everything with the object. Throws what `Kube` throws.
 */
export async function storePlan(
  kube: Kube,
  rebalance: KafkaRebalance,
  { packed }: PreparedPlan,
): Promise<void> {
  const chunks = [...chunksOf(rebalance, 'model', packed.model), ...chunksOf(rebalance, 'plan', packed.plan)];
  for (const chunk of chunks) await put(kube, rebalance, chunk);
  await removeOthers(kube, rebalance, new Set(chunks.map(({ metadata }) => metadata.name ?? '')));
}

async function read(kube: Kube, rebalance: KafkaRebalance, content: Content): Promise<unknown> {
  const { plan } = rebalance.status ?? {};
  const stored = content === 'plan' ? plan : plan?.model;
  if (stored === undefined)
    throw new StoredPlanError(
      'PLAN_MISSING',
      `KafkaRebalance ${rebalance.metadata.name} has no ${content} yet`,
    );
  const chunks: Buffer[] = [];
  for (let index = 0; index < stored.chunks; index += 1) {
    const name = chunkName(rebalance, content, { hash: stored.hash, index });
    const chunk = await kube.tryGet<StoredConfigMap>(paths.configmaps(namespaceOf(rebalance), name));
    const text = chunk?.binaryData?.[chunkKey];
    if (text === undefined)
      throw new StoredPlanError('PLAN_MISSING', `ConfigMap ${name} of the stored ${content} is gone`);
    chunks.push(Buffer.from(text, 'base64'));
  }
  return unpack(chunks, stored.hash);
}

/**
 * The stored plan that `status.plan` speaks of, checked against its hash.
 * @throws StoredPlanError where it is gone or is not what the hash says; what `Kube` throws otherwise
 */
export async function readPlan(kube: Kube, rebalance: KafkaRebalance): Promise<RebalancePlan> {
  const plan = (await read(kube, rebalance, 'plan')) as { readonly schema?: unknown };
  if (plan.schema !== 1)
    throw new StoredPlanError(
      'PLAN_CORRUPT',
      `the stored plan has the schema ${String(plan.schema)}, which this version does not know`,
    );
  return plan as RebalancePlan;
}

/** The model that the plan was made from; the same errors. */
export const readModel = async (kube: Kube, rebalance: KafkaRebalance): Promise<ClusterModel> =>
  (await read(kube, rebalance, 'model')) as ClusterModel;
