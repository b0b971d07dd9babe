/** Whether a broker carries load and may take more: `new` ones are filled, `draining` ones are emptied. */
export type BrokerState = 'alive' | 'new' | 'draining';

/** Sizes in a model are in MB. */
export const bytesPerMB = 1e6;

/** Disk in the unit of `PartitionModel.sizeMB`; networkIn and networkOut in the unit of the rates. */
export interface Capacity {
  readonly disk: number;
  readonly networkIn: number;
  readonly networkOut: number;
}

/** One log directory (JBOD); `capacity` in MB, of what Kafka may use there. */
export interface LogDirectory {
  readonly path: string;
  readonly capacity: number;
  /** It has failed: nothing goes there, and the broker moves nothing between the others meanwhile. */
  readonly offline?: boolean;
}

export interface BrokerModel {
  readonly id: number;
  readonly rack?: string;
  readonly state: BrokerState;
  readonly capacity: Capacity;
  /** The log directories, where there are several and each can fill up for itself. */
  readonly dirs?: readonly LogDirectory[];
}

export interface PartitionModel {
  readonly topic: string;
  readonly partition: number;
  /** Broker ids; the first is the preferred leader. */
  readonly replicas: readonly number[];
  /** Broker id, or -1 while the partition has no leader. */
  readonly leader: number;
  /** One replica's size on disk, in MB. */
  readonly size: number;
  /** Produce rate, which every replica takes. */
  readonly bytesIn: number;
  /** Consumer read rate, served by the leader. */
  readonly bytesOut: number;
  /** Brokers whose replica of this partition lies on an offline disk. */
  readonly offline?: readonly number[];
  /**
   * Log directory of each replica, in the order of `replicas`; "any" where its broker has no `dirs`, or where it is not known
   * yet (one that is just being created).
   */
  readonly dirs?: readonly string[];
}

/** Log directories that replicas can come to. */
export const directoriesInService = ({ dirs = [] }: Pick<BrokerModel, 'dirs'>): readonly LogDirectory[] =>
  dirs.filter(({ offline }) => offline !== true);

/** A cluster as the planner sees it: what lies where, how large and how busy it is. */
export interface ClusterModel {
  readonly brokers: readonly BrokerModel[];
  readonly partitions: readonly PartitionModel[];
}

/** A cluster model that cannot be planned on; `code` is stable, the message names field and remedy. */
export class ModelError extends Error {
  readonly code = 'MODEL_INVALID' as const;
  readonly field: string;

  constructor(field: string, complaint: string, remedy: string) {
    super(`${field}: ${complaint}. ${remedy}`);
    this.name = 'ModelError';
    this.field = field;
  }
}

type Json = Record<string, unknown>;
const STATES: readonly unknown[] = ['alive', 'new', 'draining'];
const RESOURCES = ['disk', 'networkIn', 'networkOut'] as const;

function object(value: unknown, field: string): Json {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Json;
  throw new ModelError(field, 'is not an object', 'See the model format in src/balance/README.md');
}

function list(value: unknown, field: string): unknown[] {
  if (Array.isArray(value)) return value;
  throw new ModelError(field, 'is not a list', 'See the model format in src/balance/README.md');
}

function checkBroker(value: unknown, field: string, seen: Map<unknown, Json>): void {
  const broker = object(value, field);
  if (!Number.isInteger(broker['id']) || (broker['id'] as number) < 0)
    throw new ModelError(`${field}.id`, 'is not a node id', 'Give the broker its node.id, an integer ≥ 0');
  if (seen.has(broker['id']))
    throw new ModelError(
      `${field}.id`,
      `broker ${String(broker['id'])} appears twice`,
      'List each broker once',
    );
  seen.set(broker['id'], broker);
  if (!STATES.includes(broker['state']))
    throw new ModelError(
      `${field}.state`,
      `is ${JSON.stringify(broker['state'])}`,
      'Use alive, new or draining',
    );
  const rack = broker['rack'];
  if (rack !== undefined && typeof rack !== 'string')
    throw new ModelError(`${field}.rack`, 'is not a string', 'Give the broker.rack setting, or leave it out');
  checkCapacity(broker, field);
  checkDirectories(broker, field);
}

function checkDirectories(broker: Json, field: string): void {
  const paths = new Set<unknown>();
  list(broker['dirs'] ?? [], `${field}.dirs`).forEach((value, i) => {
    const at = `${field}.dirs[${i}]`;
    const { path, capacity, offline } = object(value, at);
    if (typeof path !== 'string' || path === '' || paths.has(path))
      throw new ModelError(`${at}.path`, 'is not a path of its own', 'Give each log directory once');
    paths.add(path);
    if (typeof capacity !== 'number' || !Number.isFinite(capacity) || capacity < 0)
      throw new ModelError(`${at}.capacity`, `is ${JSON.stringify(capacity)}`, 'Give its size in MB');
    if (offline !== undefined && typeof offline !== 'boolean')
      throw new ModelError(`${at}.offline`, `is ${JSON.stringify(offline)}`, 'Use true or false');
  });
}

/** A broker with several directories can be planned for only when it is known what lies in which. */
function checkPlaces(partition: Json, field: string, brokers: Map<unknown, Json>): void {
  const replicas = partition['replicas'] as unknown[];
  const offline = (partition['offline'] ?? []) as unknown[];
  const dirs = partition['dirs'] === undefined ? undefined : list(partition['dirs'], `${field}.dirs`);
  if (dirs !== undefined && dirs.length !== replicas.length)
    throw new ModelError(
      `${field}.dirs`,
      `has ${dirs.length} entries for ${replicas.length} replicas`,
      'Give one for each replica, "any" where its broker has no dirs',
    );
  replicas.forEach((id, i) => {
    const known = directoriesInService(brokers.get(id) ?? {});
    const named = dirs?.[i] === 'any' || known.some(({ path }) => path === dirs?.[i]);
    if (known.length < 2 || offline.includes(id) || named) return;
    throw new ModelError(
      `${field}.dirs`,
      `does not say in which of its ${known.length} log directories broker ${String(id)} has its replica`,
      'Name one of the paths in "dirs" of the broker, "any" where it is not known, or leave those out for all brokers',
    );
  });
}

function checkCapacity(broker: Json, field: string): void {
  if (broker['state'] === 'draining') return;
  const capacity = object(broker['capacity'], `${field}.capacity`);
  for (const resource of RESOURCES) {
    const value = capacity[resource];
    if (typeof value !== 'number' || !Number.isFinite(value) || value <= 0)
      throw new ModelError(
        `${field}.capacity.${resource}`,
        `is ${JSON.stringify(value)}`,
        'Give a number above 0; where it is unknown, give every broker the same large one',
      );
  }
}

function checkReplicas(partition: Json, field: string, brokers: Map<unknown, Json>): void {
  const replicas = list(partition['replicas'], `${field}.replicas`);
  if (replicas.length === 0)
    throw new ModelError(`${field}.replicas`, 'is empty', 'List the brokers that hold the partition');
  replicas.forEach((id, i) => {
    if (!brokers.has(id))
      throw new ModelError(
        `${field}.replicas`,
        `names broker ${JSON.stringify(id)}, which is not in "brokers"`,
        'Add it there, as draining if it is gone for good',
      );
    if (replicas.indexOf(id) !== i)
      throw new ModelError(`${field}.replicas`, `names broker ${String(id)} twice`, 'List each broker once');
  });
  const leader = partition['leader'];
  if (leader !== -1 && !replicas.includes(leader))
    throw new ModelError(
      `${field}.leader`,
      `${JSON.stringify(leader)} is not among the replicas`,
      'Name one of the replicas, or -1 for none',
    );
  for (const id of list(partition['offline'] ?? [], `${field}.offline`))
    if (!replicas.includes(id))
      throw new ModelError(
        `${field}.offline`,
        `${JSON.stringify(id)} is not among the replicas`,
        'Name only brokers that hold a replica',
      );
}

function checkPartition(value: unknown, field: string, brokers: Map<unknown, Json>): string {
  const partition = object(value, field);
  if (typeof partition['topic'] !== 'string' || partition['topic'] === '')
    throw new ModelError(`${field}.topic`, 'is not a name', 'Give the topic as a string');
  if (!Number.isInteger(partition['partition']) || (partition['partition'] as number) < 0)
    throw new ModelError(`${field}.partition`, 'is not an index', 'Give an integer ≥ 0');
  for (const measure of ['size', 'bytesIn', 'bytesOut']) {
    const amount = partition[measure];
    if (typeof amount !== 'number' || !Number.isFinite(amount) || amount < 0)
      throw new ModelError(
        `${field}.${measure}`,
        `is ${JSON.stringify(amount)}`,
        'Give a number ≥ 0; 0 where it is unknown',
      );
  }
  checkReplicas(partition, field, brokers);
  checkPlaces(partition, field, brokers);
  return `${partition['topic']}/${String(partition['partition'])}`;
}

/**
 * Checks parsed JSON against the model format (the README beside this file states it) and returns it typed, the
 * same object.
 * @throws ModelError naming the first field that does not fit, and the remedy
 */
export function parseModel(json: unknown): ClusterModel {
  const model = object(json, 'model');
  const ids = new Map<unknown, Json>();
  const brokers = list(model['brokers'], 'brokers');
  brokers.forEach((broker, i) => checkBroker(broker, `brokers[${i}]`, ids));
  if (!brokers.some((broker) => (broker as Json)['state'] !== 'draining'))
    throw new ModelError(
      'brokers',
      'none is left to carry load',
      'At least one must be in state alive or new',
    );
  const seen = new Set<string>();
  list(model['partitions'], 'partitions').forEach((partition, i) => {
    const key = checkPartition(partition, `partitions[${i}]`, ids);
    if (seen.has(key)) throw new ModelError(`partitions[${i}]`, `${key} appears twice`, 'List it once');
    seen.add(key);
  });
  return json as ClusterModel;
}
