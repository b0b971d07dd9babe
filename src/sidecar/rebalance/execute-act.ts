import {
  type Action,
  type ConfigRef,
  type ConfigWrite,
  type Failure,
  type Plan,
  type TopicPartition,
  configKey,
  keyOf,
  stillOurs,
} from '../../execution/index.ts';
import {
  KafkaError,
  type KafkaAdmin,
  type KafkaControllers,
  type ResourceChanges,
} from '../../kafka/index.ts';

/** Settings of brokers that are away, at the active controller. */
export type ToldControllers = Pick<KafkaControllers, 'alterManyConfigs'>;

export type ActedOnKafka = Pick<
  KafkaAdmin,
  'alterManyConfigs' | 'alterReassignments' | 'electPreferredLeaders' | 'listReassignments'
>;

/** Refusals that stay (`Errors.java`): asking again changes nothing. Others are asked again after the next look. */
const forGood = new Set([
  'CLUSTER_AUTHORIZATION_FAILED',
  'INVALID_REPLICA_ASSIGNMENT',
  'INVALID_REPLICATION_FACTOR',
  'INVALID_REQUEST',
  'POLICY_VIOLATION',
  'TOPIC_AUTHORIZATION_FAILED',
]);

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
    const { action, dropped } = stillOurs(wanted, await this.#kafka.listReassignments(wanted.partitions));
    const failures = dropped.map((one): Failure => {
      const message = `${keyOf(one)}: somebody else reassigns it`;
      return { ...this.#moveOf(one), reason: 'FOREIGN_REASSIGNMENT', message, mayPassLater: true };
    });
    this.#assertHeld();
    if (action.kind === 'reassign') {
      const changes = action.partitions.map(({ topic, partition, replicas }) => ({
        topic,
        partition,
        replicas,
      }));
      failures.push(...this.#outcomes(await this.#kafka.alterReassignments(changes)));
    }
    if (action.kind === 'cancel') {
      const changes = action.partitions.map(({ topic, partition }) => ({ topic, partition, replicas: null }));
      failures.push(...this.#outcomes(await this.#kafka.alterReassignments(changes)));
    }
    return failures;
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
