import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import type { ClusterModel } from '../../balance/index.ts';
import { keys } from '../../names.ts';
import type { ConfigMap } from '../objects.ts';
import { ownLabels } from '../secrets.ts';
import { canonicalJson, hashOf, hashOfText, shortHash } from './canonical.ts';
import type { KafkaRebalance, PlanStatus } from './kafka-rebalance.ts';
import type { RebalancePlan } from './plan.ts';

export interface StoredConfigMap extends ConfigMap {
  /** Base64. */
  binaryData?: Record<string, string>;
}

/** What is stored of a proposal. */
export type Content = 'plan' | 'model';

/** With base64 and metadata a chunk stays below 512 KiB, well within what etcd and the API server take. */
const chunkBytes = 380 * 1024;
/** More than a plan of a million partitions takes: a chunk that somebody forged cannot exhaust the memory. */
const maxContentBytes = 256 * 2 ** 20;

export const chunkKey = 'chunk.gz';

/** In threads of their own: the sidecar renews its lease meanwhile. */
const compressed = promisify<string, object, Buffer>(gzip);
const expanded = promisify<Buffer, object, Buffer>(gunzip);

/** A stored plan or model that is not there in full, or is not what its hash says. */
export class StoredPlanError extends Error {
  readonly code: 'PLAN_MISSING' | 'PLAN_CORRUPT';

  constructor(code: StoredPlanError['code'], message: string) {
    super(message);
    this.name = 'StoredPlanError';
    this.code = code;
  }
}

/** A value compressed and cut, with the hash of its canonical JSON. */
export interface Packed {
  readonly hash: string;
  readonly chunks: readonly Buffer[];
}

export async function pack(value: unknown): Promise<Packed> {
  const text = canonicalJson(value);
  const bytes = await compressed(text, { level: 6 });
  const chunks: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += chunkBytes) chunks.push(bytes.subarray(at, at + chunkBytes));
  return { hash: hashOfText(text), chunks };
}

/** The value again, checked against the hash. Throws `StoredPlanError`. */
export async function unpack(chunks: readonly Buffer[], hash: string): Promise<unknown> {
  let value: unknown;
  try {
    value = JSON.parse(String(await expanded(Buffer.concat(chunks), { maxOutputLength: maxContentBytes })));
  } catch (error) {
    throw new StoredPlanError('PLAN_CORRUPT', `what is stored cannot be read: ${(error as Error).message}`);
  }
  const found = hashOf(value);
  if (found !== hash)
    throw new StoredPlanError(
      'PLAN_CORRUPT',
      `stored is something with the hash ${shortHash(found)}, not ${shortHash(hash)}`,
    );
  return value;
}

/** A proposal ready to be stored. */
export interface PreparedPlan {
  /** What the lifecycle is told of it. */
  readonly plan: Omit<PlanStatus, 'settings' | 'refresh'>;
  readonly packed: Readonly<Record<Content, Packed>>;
}

/** Hashes and compresses a proposal; sends nothing. */
export async function preparePlan(
  plan: RebalancePlan,
  model: ClusterModel,
  now: Date,
): Promise<PreparedPlan> {
  const packed = { plan: await pack(plan), model: await pack(model) };
  return {
    packed,
    plan: {
      hash: packed.plan.hash,
      chunks: packed.plan.chunks.length,
      partitions: plan.moves.length,
      createdAt: now.toISOString().replace(/\.\d+Z$/, 'Z'),
      model: { hash: packed.model.hash, chunks: packed.model.chunks.length },
    },
  };
}

/** Names carry object, content and hash: what is stored once under a name never becomes something else. */
export function chunkName(
  { metadata }: Pick<KafkaRebalance, 'metadata'>,
  content: Content,
  { hash, index }: { hash: string; index: number },
): string {
  const uid = metadata.uid.replaceAll(/[^a-z0-9]/g, '').slice(0, 8);
  return `${metadata.name}-${content}-${uid}-${shortHash(hash)}-${index}`;
}

/** The ConfigMaps of one content, immutable and owned by the KafkaRebalance. */
export function chunksOf(rebalance: KafkaRebalance, content: Content, packed: Packed): StoredConfigMap[] {
  const { apiVersion, kind, metadata, spec } = rebalance;
  const { name, uid, namespace } = metadata;
  return packed.chunks.map((bytes, index) => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: {
      name: chunkName(rebalance, content, { hash: packed.hash, index }),
      ...(namespace === undefined ? {} : { namespace }),
      labels: { ...ownLabels(spec.cluster), [keys.rebalance]: name },
      ownerReferences: [{ apiVersion, kind, name, uid, controller: true }],
    },
    immutable: true,
    binaryData: { [chunkKey]: bytes.toString('base64') },
  }));
}
