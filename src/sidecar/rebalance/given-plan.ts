import { gunzipSync, gzipSync } from 'node:zlib';
import type { Reassignment } from '../../balance/index.ts';
import { anyDirectory } from '../../execution/index.ts';
import type { StoredConfigMap } from './plan-chunks.ts';

/** A plan in Kafka's reassignment format that cannot be used; the message names the place and the remedy. */
export class GivenPlanError extends Error {
  readonly code = 'PLAN_INVALID' as const;

  constructor(message: string) {
    super(message);
    this.name = 'GivenPlanError';
  }
}

/** The keys of the ConfigMap. */
export const planKey = 'plan.json';
export const gzippedPlanKey = 'plan.json.gz';

/** A ConfigMap holds 1 MiB in all. */
const maxStoredBytes = 1_000_000;
const maxPlanBytes = 128 * 2 ** 20;

type Json = Record<string, unknown>;

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isId = (value: unknown): value is number => Number.isInteger(value) && (value as number) >= 0;

function checkEntry(value: unknown, field: string): Reassignment['partitions'][number] {
  if (!isObject(value))
    throw new GivenPlanError(`${field} is no object. Give topic, partition and replicas.`);
  const { topic, partition, replicas } = value;
  if (typeof topic !== 'string' || topic === '')
    throw new GivenPlanError(`${field}.topic is no name. Give the topic as a string.`);
  if (!isId(partition))
    throw new GivenPlanError(`${field}.partition is no index. Give an integer from 0 on.`);
  if (!Array.isArray(replicas) || replicas.length === 0 || !replicas.every(isId))
    throw new GivenPlanError(
      `${field}.replicas is no list of brokers. List their node ids, the leader first.`,
    );
  if (new Set(replicas).size < replicas.length)
    throw new GivenPlanError(`${field}.replicas names a broker twice. List each broker once.`);
  const directories = checkDirectories(value, field, replicas.length);
  return { topic, partition, replicas, ...(directories === undefined ? {} : { log_dirs: directories }) };
}

/** `any`, or an absolute path for each replica; undefined where all are `any`. */
function checkDirectories(entry: Json, field: string, replicas: number): string[] | undefined {
  const named = entry['log_dirs'];
  if (named === undefined) return undefined;
  const isDirectory = (value: unknown): value is string =>
    typeof value === 'string' && (value === anyDirectory || value.startsWith('/'));
  if (!Array.isArray(named) || !named.every(isDirectory))
    throw new GivenPlanError(
      `${field}.log_dirs is no list of log directories. Give an absolute path or "any" for each replica.`,
    );
  if (named.length !== replicas)
    throw new GivenPlanError(
      `${field}.log_dirs has ${named.length} entries for ${replicas} replicas. Give one for each, "any" where it does not matter.`,
    );
  return named.every((path) => path === anyDirectory) ? undefined : named;
}

/**
 * Reads a plan in the format of kafka-reassign-partitions.
 * @throws GivenPlanError naming the first field that does not fit
 */
export function parseReassignment(text: string): Reassignment {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new GivenPlanError(`It is not JSON: ${(error as Error).message}.`);
  }
  const list = isObject(json) ? json['partitions'] : undefined;
  if (!isObject(json) || !Array.isArray(list))
    throw new GivenPlanError(
      'It has no list "partitions". Give what kafka-reassign-partitions --generate prints.',
    );
  if (json['version'] !== undefined && json['version'] !== 1)
    throw new GivenPlanError(`version is ${JSON.stringify(json['version'])}. Only version 1 is known.`);
  const seen = new Set<string>();
  const partitions = list.map((one: unknown, i) => {
    const entry = checkEntry(one, `partitions[${i}]`);
    const key = `${entry.topic}-${entry.partition}`;
    if (seen.has(key)) throw new GivenPlanError(`partitions[${i}]: ${key} appears twice. List it once.`);
    seen.add(key);
    return entry;
  });
  return { version: 1, partitions };
}

/** The plan of a ConfigMap that `spec.plan.configMap` names. Throws `GivenPlanError`. */
export function planOf({ metadata, data, binaryData }: StoredConfigMap): Reassignment {
  const plain = data?.[planKey];
  const gzipped = binaryData?.[gzippedPlanKey];
  const name = `ConfigMap ${metadata.name ?? ''}`;
  if (plain === undefined && gzipped === undefined)
    throw new GivenPlanError(`${name} has neither ${planKey} nor ${gzippedPlanKey}. Put the plan there.`);
  try {
    const bytes = gzipped && gunzipSync(Buffer.from(gzipped, 'base64'), { maxOutputLength: maxPlanBytes });
    return parseReassignment(plain ?? String(bytes));
  } catch (error) {
    throw new GivenPlanError(`${name}: ${(error as Error).message}`);
  }
}

/** The content of such a ConfigMap, gzipped. Throws `GivenPlanError` where it is too large for one. */
export function givenPlanData(reassignment: Reassignment): Required<Pick<StoredConfigMap, 'binaryData'>> {
  const bytes = gzipSync(JSON.stringify(reassignment), { level: 9 });
  if (bytes.length > maxStoredBytes)
    throw new GivenPlanError(
      `It has ${reassignment.partitions.length} partitions, ${bytes.length} bytes compressed, and a ConfigMap holds ${maxStoredBytes}. Split it and execute one part after the other.`,
    );
  return { binaryData: { [gzippedPlanKey]: bytes.toString('base64') } };
}
