import {
  type Action,
  type ConfigWrite,
  type Failure,
  type Journal,
  type Limits,
  type LookAt,
  type Notice,
  type Place,
  type Plan,
  type Step,
  type TopicPartition,
  begin,
  configKey,
  next,
  parseJournal,
  prepare,
  requestStop,
  stillOurs,
} from '../index.ts';
import { type SimulatedKafka, racksOf } from './simulated-kafka.ts';

/** Thrown at the moments at which a test has the executor die. */
export class Crash extends Error {}

/** The shell around `next` for the simulated Kafka: it stores, acts, and can be killed at any moment in between. */
export class Executor {
  readonly kafka: SimulatedKafka;
  readonly plan: Plan;
  readonly limits: Limits;
  /** What a killed process leaves behind. */
  stored: string;
  readonly said: Notice[] = [];
  last: Step | undefined;
  #lookAt: LookAt | undefined;
  #failures: Failure[] = [];
  #acknowledged = new Map<string, string | null>();

  constructor(kafka: SimulatedKafka, plan: Plan, limits: Limits) {
    this.kafka = kafka;
    this.plan = plan;
    this.limits = limits;
    this.stored = JSON.stringify(begin({ plan, racks: racksOf(kafka), nowMs: kafka.nowMs }));
  }

  get journal(): Journal {
    return parseJournal(this.stored);
  }

  stop(): void {
    this.stored = JSON.stringify(requestStop(this.journal, this.kafka.nowMs));
  }

  /** A new process: only the stored journal is left. */
  restart(): void {
    this.#lookAt = undefined;
    this.kafka.forgetDisks();
    this.#failures = [];
    this.#acknowledged.clear();
  }

  /** One look and its actions; `dies` is asked before each action of each partition, and `between` may change Kafka. */
  round(dies: () => boolean = () => false, between: () => void = () => undefined): Step {
    const { journal } = this;
    const needed = this.plan.moves.flatMap(({ to }) => to);
    const lookAt = this.#lookAt ?? {
      partitions: [],
      upcoming: [],
      configs: journal.ledger,
      destinations: [],
      landedOn: [],
    };
    const told = { failures: this.#failures, acknowledged: this.#acknowledged };
    const seen = this.kafka.look(lookAt, needed, told);
    const step = next(journal, seen, { prepared: prepare(this.plan, journal.racks), limits: this.limits });
    this.last = step;
    this.said.push(...step.said);
    this.#lookAt = step.lookAt;
    this.#failures = [];
    this.#acknowledged = new Map();
    if (dies()) throw new Crash();
    this.stored = JSON.stringify(step.journal);
    between();
    for (const action of step.actions) this.#carryOut(action, dies);
    return step;
  }

  #carryOut(wanted: Action, dies: () => boolean): void {
    const { action, dropped } = stillOurs(wanted, this.kafka.ongoing());
    if (action.kind === 'relocate' || action.kind === 'keep-in-place')
      return this.#place(action.partitions, dies);
    for (const one of dropped) this.#failed(one, 'FOREIGN_REASSIGNMENT');
    if (action.kind === 'configs') return this.#write(action.writes, dies);
    for (const one of action.partitions) {
      if (dies()) throw new Crash();
      const untold = 'places' in one ? this.#tell(one.places ?? []) : undefined;
      if (dies()) throw new Crash();
      const reason = untold ?? this.#one(action.kind, one);
      if (reason !== undefined) this.#failed(one, reason);
    }
  }

  #place(places: readonly Place[], dies: () => boolean): void {
    for (const one of places) {
      if (dies()) throw new Crash();
      const reason = this.kafka.alterDirectory(one, one.broker, one.path, 'us');
      if (reason !== undefined) this.#failed(one, reason, one.broker);
    }
  }

  #write(writes: readonly ConfigWrite[], dies: () => boolean): void {
    for (const write of writes) {
      if (dies()) throw new Crash();
      const reason = this.kafka.write(write, write.value, write.via);
      if (reason !== undefined)
        this.#failures.push({ config: write, reason, message: reason, mayPassLater: true });
      else if (write.via === 'controllers') this.#acknowledged.set(configKey(write), write.value);
    }
  }

  /** The brokers of new replicas hear of their directories before. */
  #tell(places: readonly Place[]): string | undefined {
    for (const one of places) {
      const reason = this.kafka.alterDirectory(one, one.broker, one.path, 'us');
      if (reason !== 'REPLICA_NOT_AVAILABLE') return reason ?? 'REPLICA_STILL_THERE';
    }
    return undefined;
  }

  #one(
    kind: 'reassign' | 'cancel' | 'elect',
    one: TopicPartition & { replicas?: readonly number[] },
  ): string | undefined {
    if (kind === 'elect') return this.kafka.elect(one);
    return this.kafka.reassign(one, kind === 'cancel' ? null : (one.replicas ?? null), 'us');
  }

  #failed(one: TopicPartition, reason: string, broker?: number): void {
    const move = this.plan.moves.findIndex(
      (other) => other.topic === one.topic && other.partition === one.partition,
    );
    this.#failures.push({
      move,
      ...(broker === undefined ? {} : { broker }),
      reason,
      message: reason,
      mayPassLater: reason !== 'UNKNOWN_TOPIC_OR_PARTITION' && reason !== 'LOG_DIR_NOT_FOUND',
    });
  }
}
