import {
  type Action,
  type ConfigRef,
  type ConfigWrite,
  type Failure,
  type Place,
  type Plan,
  type Reassignment,
  type TopicPartition,
  configKey,
  keyOf,
  stillOurs,
} from '../../execution/index.ts';
import {
  KafkaError,
  type KafkaAdmin,
  type KafkaControllers,
  type ReplicaPlace,
  type ResourceChanges,
} from '../../kafka/index.ts';

/** Settings of brokers that are away, at the active controller. */
export type ToldControllers = Pick<KafkaControllers, 'alterManyConfigs'>;

export type ActedOnKafka = Pick<
  KafkaAdmin,
  | 'alterManyConfigs'
  | 'alterReassignments'
  | 'alterReplicaLogDirs'
  | 'electPreferredLeaders'
  | 'listReassignments'
>;

/** Refusals that stay (`Errors.java`): asking again changes nothing. Others are asked again after the next look. */
const forGood = new Set([
  'CLUSTER_AUTHORIZATION_FAILED',
  'INVALID_REPLICA_ASSIGNMENT',
  'INVALID_REPLICATION_FACTOR',
  'INVALID_REQUEST',
  'INVALID_TOPIC_EXCEPTION',
  'LOG_DIR_NOT_FOUND',
  'POLICY_VIOLATION',
  'TOPIC_AUTHORIZATION_FAILED',
]);

/** While a directory of a broker has failed, it begins no copy into another (`LogManager.getOrCreateLog`). */
const relocationsForGood = new Set([...forGood, 'KAFKA_STORAGE_ERROR']);

interface Refused {
  readonly reason: string;
  readonly message: string;
}

/** What became of actions, for the next look. */
export interface Acted {
  readonly failures: readonly Failure[];
  /** What the controllers have taken. */
  readonly acknowledged: ReadonlyMap<string, string | null>;
}

/** This process may be the holder of the lease no more: nothing is changed until it has been renewed. */
export class NotHeld extends Error {
  override readonly name = 'NotHeld';
  readonly code = 'not-held';
}

export interface ActorOptions {
  readonly kafka: ActedOnKafka;
  readonly controllers?: ToldControllers | undefined;
  readonly plan: Plan;
  /** Asked before every request that changes something: a process may stand still between any two of them. */
  readonly holds: () => boolean;
}

/** Topics whose settings are written with one request. */
const topicsAtOnce = 200;

/** Carries out what `next` decided. What fails comes back as failures of the next look; nothing is thrown for Kafka's part. */
export class Actor {
  readonly #kafka: ActedOnKafka;
  readonly #controllers: ToldControllers | undefined;
  readonly #holds: () => boolean;
  readonly #moves: ReadonlyMap<string, number>;

  constructor({ kafka, controllers, plan, holds }: ActorOptions) {
    this.#kafka = kafka;
    this.#controllers = controllers;
    this.#holds = holds;
    this.#moves = new Map(plan.moves.map((move, index) => [keyOf(move), index]));
  }

  /** @throws NotHeld */
  async carryOut(action: Action): Promise<Acted> {
    if (action.kind === 'configs') return this.#write(action.writes);
    try {
      return { failures: await this.#onPartitions(action), acknowledged: new Map() };
    } catch (error) {
      if (!(error instanceof KafkaError)) throw error;
      return { failures: failedAltogether(action.partitions, error), acknowledged: new Map() };
    }
  }

  #assertHeld(): void {
    if (this.#holds()) return;
    throw new NotHeld('the lease was not renewed in time, so nothing more is changed until it is held again');
  }

  async #write(writes: readonly ConfigWrite[]): Promise<Acted> {
    const failures: Failure[] = [];
    const acknowledged = new Map<string, string | null>();
    for (const { via, some } of requestsOf(writes)) {
      const to = via === 'kafka' ? this.#kafka : this.#controllers;
      if (to === undefined) continue;
      this.#assertHeld();
      const refused = await refusalsOf(to, some);
      for (const write of some) {
        const refusal = refused.get(resourceOf(write));
        if (refusal !== undefined) failures.push(configFailure(write, refusal));
        else if (via === 'controllers') acknowledged.set(configKey(write), write.value);
      }
    }
    return { failures, acknowledged };
  }

  /** Kafka replaces a reassignment in progress without a word, so they are listed just before. */
  async #onPartitions(wanted: Exclude<Action, { kind: 'configs' }>): Promise<Failure[]> {
    this.#assertHeld();
    if (wanted.kind === 'elect')
      return this.#outcomes(await this.#kafka.electPreferredLeaders(wanted.partitions));
    if (wanted.kind === 'keep-in-place') return this.#alterDirectories(wanted.partitions);
    const { action, dropped } = stillOurs(wanted, await this.#kafka.listReassignments(wanted.partitions));
    const failures = dropped.map((one): Failure => {
      const message = `${keyOf(one)}: somebody else reassigns it`;
      const broker = 'broker' in one ? { broker: Number(one.broker) } : {};
      return { ...this.#moveOf(one), ...broker, reason: 'FOREIGN_REASSIGNMENT', message, mayPassLater: true };
    });
    this.#assertHeld();
    if (action.kind === 'relocate') failures.push(...(await this.#alterDirectories(action.partitions)));
    if (action.kind === 'reassign') failures.push(...(await this.#reassign(action.partitions)));
    if (action.kind === 'cancel') {
      const changes = action.partitions.map(({ topic, partition }) => ({ topic, partition, replicas: null }));
      failures.push(...this.#outcomes(await this.#kafka.alterReassignments(changes)));
    }
    return failures;
  }

  /**
   * Brokers are told the directories of replicas that they will get before they get them, as Kafka's own tool does; a
   * partition of which one was not told is not reassigned.
   */
  async #reassign(partitions: readonly Reassignment[]): Promise<Failure[]> {
    const places = partitions.flatMap((one) => one.places ?? []);
    const failures = places.length === 0 ? [] : await this.#announce(places);
    const failed = new Set(failures.map(({ move }) => move));
    const changes = partitions.flatMap(({ move, topic, partition, replicas }) =>
      failed.has(move) ? [] : [{ topic, partition, replicas }],
    );
    this.#assertHeld();
    return [...failures, ...this.#outcomes(await this.#kafka.alterReassignments(changes))];
  }

  /** `REPLICA_NOT_AVAILABLE` says that the broker will remember; one that has the replica does not. */
  async #announce(places: readonly Place[]): Promise<Failure[]> {
    const failures: Failure[] = [];
    for (const { place, error } of await this.#placed(places)) {
      if (error?.reason === 'REPLICA_NOT_AVAILABLE') continue;
      const still = { reason: 'REPLICA_STILL_THERE', message: 'a replica that is to come is there still' };
      const { broker: _broker, ...failure } = this.#directoryFailure(place, error ?? still);
      failures.push({ ...failure, mayPassLater: error === undefined || !forGood.has(error.reason) });
    }
    return failures;
  }

  async #alterDirectories(places: readonly Place[]): Promise<Failure[]> {
    return (await this.#placed(places)).flatMap(({ place, error }) =>
      error === undefined ? [] : [this.#directoryFailure(place, error)],
    );
  }

  /** A broker that does not answer fails all of its own. */
  async #placed(
    places: readonly Place[],
  ): Promise<{ readonly place: Place; readonly error: Refused | undefined }[]> {
    const answers: { place: Place; error: Refused | undefined }[] = [];
    for (const [broker, own] of Map.groupBy(places, (one) => one.broker)) {
      this.#assertHeld();
      const wanted = own.map(({ topic, partition, path }) => ({ topic, partition, path }));
      const refused = await directoryRefusals(this.#kafka, broker, wanted);
      answers.push(...own.map((place) => ({ place, error: refused.get(keyOf(place)) })));
    }
    return answers;
  }

  #directoryFailure(place: Place, { reason, message }: Refused): Failure {
    const { move, broker, path } = place;
    const told = `${keyOf(place)}: broker ${broker} refused the directory ${path} with ${reason}: ${message}`;
    return { move, broker, reason, message: told, mayPassLater: !relocationsForGood.has(reason) };
  }

  #outcomes(outcomes: readonly (TopicPartition & { readonly error?: Refused })[]): Failure[] {
    return outcomes.flatMap(({ error, ...at }) => {
      if (error === undefined) return [];
      const { reason, message } = error;
      const told = `${keyOf(at)}: Kafka refused with ${reason}: ${message}`;
      return [{ ...this.#moveOf(at), reason, message: told, mayPassLater: !forGood.has(reason) }];
    });
  }

  #moveOf(at: TopicPartition): { move?: number } {
    const move = this.#moves.get(keyOf(at));
    return move === undefined ? {} : { move };
  }
}

/** By partition; whether a request that got lost was carried out is for the next look to see. */
async function directoryRefusals(
  kafka: Pick<ActedOnKafka, 'alterReplicaLogDirs'>,
  broker: number,
  places: readonly ReplicaPlace[],
): Promise<ReadonlyMap<string, Refused>> {
  try {
    const outcomes = await kafka.alterReplicaLogDirs(broker, places);
    return new Map(
      outcomes.flatMap((one) => (one.error === undefined ? [] : [[keyOf(one), one.error] as const])),
    );
  } catch (error) {
    if (!(error instanceof KafkaError)) throw error;
    const refusal = { reason: error.reason ?? error.code, message: error.problem };
    return new Map(places.map((one) => [keyOf(one), refusal]));
  }
}

const resourceOf = ({ type, name }: Pick<ConfigRef, 'type' | 'name'>): string => `${type}/${name}`;

interface ConfigRequest {
  readonly via: ConfigWrite['via'];
  readonly some: readonly ConfigWrite[];
}

/** So that each is one request: topics together, a broker by itself, and all that goes to the controllers. */
function requestsOf(writes: readonly ConfigWrite[]): ConfigRequest[] {
  const of = (via: ConfigWrite['via']) => writes.filter((one) => one.via === via);
  const [brokers, topics] = [new Map<string, ConfigWrite[]>(), new Map<string, ConfigWrite[]>()];
  for (const write of of('kafka')) {
    const group = write.type === 'broker' ? brokers : topics;
    group.set(write.name, [...(group.get(write.name) ?? []), write]);
  }
  const byTopic = [...topics.values()];
  const chunks = Array.from({ length: Math.ceil(byTopic.length / topicsAtOnce) }, (_, index) =>
    byTopic.slice(index * topicsAtOnce, (index + 1) * topicsAtOnce).flat(),
  );
  const direct = [...chunks, ...brokers.values()].map((some) => ({ via: 'kafka', some }) as const);
  const rest = of('controllers');
  return rest.length === 0 ? direct : [...direct, { via: 'controllers', some: rest }];
}

/** By resource; whether a request that got lost was carried out is for the next look to see. */
async function refusalsOf(
  to: ToldControllers,
  writes: readonly ConfigWrite[],
): Promise<ReadonlyMap<string, Refused>> {
  try {
    const outcomes = await to.alterManyConfigs(byResource(writes));
    return new Map(
      outcomes.flatMap(({ resource, error }) => (error === undefined ? [] : [[resourceOf(resource), error]])),
    );
  } catch (error) {
    if (!(error instanceof KafkaError)) throw error;
    const refusal = { reason: error.reason ?? error.code, message: error.problem };
    return new Map(writes.map((write) => [resourceOf(write), refusal]));
  }
}

function byResource(writes: readonly ConfigWrite[]): ResourceChanges[] {
  return [...Map.groupBy(writes, resourceOf).values()].flatMap((some) => {
    const [first] = some;
    if (first === undefined) return [];
    const changes = some.map(({ key, value }) =>
      value === null ? ({ name: key, remove: true } as const) : { name: key, set: value },
    );
    return [{ resource: { type: first.type, name: first.name }, changes }];
  });
}

const configFailure = ({ type, name, key }: ConfigRef, { reason, message }: Refused): Failure => ({
  config: { type, name, key },
  reason,
  message: `${key} of ${type} ${name} was not set: ${reason}: ${message}`,
  mayPassLater: !forGood.has(reason),
});

/** The call did not get through; whether it was carried out is for the next look to see. */
function failedAltogether(partitions: readonly { readonly move: number }[], error: KafkaError): Failure[] {
  const refused = { reason: error.reason ?? error.code, message: error.problem };
  return partitions.map(({ move }) => ({ move, ...refused, mayPassLater: true }));
}
