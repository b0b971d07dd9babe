import {
  type Action,
  type ConfigRef,
  type ConfigWrite,
  type Failure,
  type Plan,
  type TopicPartition,
  keyOf,
  stillOurs,
} from '../../execution/index.ts';
import { KafkaError, type KafkaAdmin } from '../../kafka/index.ts';
import type { ControllerConfigs } from './execute-observe.ts';

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

/** Carries out what `next` decided. What fails comes back as failures of the next look; nothing is thrown for Kafka's part. */
export class Actor {
  readonly #kafka: ActedOnKafka;
  readonly #controllers: ControllerConfigs | undefined;
  readonly #moves: ReadonlyMap<string, number>;

  constructor(kafka: ActedOnKafka, controllers: ControllerConfigs | undefined, plan: Plan) {
    this.#kafka = kafka;
    this.#controllers = controllers;
    this.#moves = new Map(plan.moves.map((move, index) => [keyOf(move), index]));
  }

  async carryOut(action: Action): Promise<Failure[]> {
    try {
      return await (action.kind === 'configs' ? this.#write(action.writes) : this.#onPartitions(action));
    } catch (error) {
      if (!(error instanceof KafkaError)) throw error;
      return failedAltogether(action, error);
    }
  }

  async #write(writes: readonly ConfigWrite[]): Promise<Failure[]> {
    const failures: Failure[] = [];
    for (const via of ['kafka', 'controllers'] as const) {
      const some = writes.filter((one) => one.via === via);
      const to = via === 'kafka' ? this.#kafka : this.#controllers;
      if (some.length === 0 || to === undefined) continue;
      const outcomes = await to.alterManyConfigs(byResource(some));
      for (const { resource, error } of outcomes) {
        if (error === undefined) continue;
        const affected = some.filter(({ type, name }) => type === resource.type && name === resource.name);
        failures.push(...affected.map((config) => configFailure(config, error)));
      }
    }
    return failures;
  }

  /** Kafka replaces a reassignment in progress without a word, so they are listed just before. */
  async #onPartitions(wanted: Exclude<Action, { kind: 'configs' }>): Promise<Failure[]> {
    if (wanted.kind === 'elect')
      return this.#outcomes(await this.#kafka.electPreferredLeaders(wanted.partitions));
    const { action, dropped } = stillOurs(wanted, await this.#kafka.listReassignments(wanted.partitions));
    const failures = dropped.map((one): Failure => {
      const message = `${keyOf(one)}: somebody else reassigns it`;
      return { ...this.#moveOf(one), reason: 'FOREIGN_REASSIGNMENT', message, mayPassLater: true };
    });
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

function byResource(writes: readonly ConfigWrite[]) {
  const grouped = new Map<string, ConfigWrite[]>();
  for (const write of writes) {
    const id = `${write.type}/${write.name}`;
    grouped.set(id, [...(grouped.get(id) ?? []), write]);
  }
  return [...grouped.values()].flatMap((some) => {
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
function failedAltogether(action: Action, error: KafkaError): Failure[] {
  const refused = { reason: error.reason ?? error.code, message: error.problem };
  if (action.kind === 'configs') return action.writes.map((write) => configFailure(write, refused));
  return action.partitions.map(({ move }) => ({ move, ...refused, mayPassLater: true }));
}
