import assert from 'node:assert/strict';
import { type DisruptionRecord, emptyRecord, release, take } from '../../../gate/record.ts';
import { apiVersion, keys } from '../../../names.ts';
import type { KafkaRebalance, Phase } from '../../rebalance/kafka-rebalance.ts';
import type { Action, Condemned, HeldPod, KafkaSeen, ScaleSeen, SetSeen } from '../model.ts';
import { nextScaleIn } from '../scale-in.ts';
import { nextScaleOut } from '../scale-out.ts';
import { written } from '../turns.ts';

interface SimPod {
  readonly uid: string;
  version: number;
  terminating: boolean;
}

interface SimRebalance {
  object: KafkaRebalance;
  phase: Phase;
  stop: boolean;
}

/** What a test does to the cluster from outside. */
export type Trouble =
  | { readonly kind: 'scale'; readonly to: number }
  | { readonly kind: 'kill' }
  | { readonly kind: 'topic'; readonly broker: number }
  | { readonly kind: 'evict'; readonly ordinal: number }
  | { readonly kind: 'blind' }
  | { readonly kind: 'lag' }
  | { readonly kind: 'hold' }
  | { readonly kind: 'time' };

const replicationFactor = 2;

/** One set of brokers, of which the StatefulSet controller may delete no pod. Ordinals are the brokers' ids. */
export class Sim {
  replicas: number;
  readonly pods = new Map<number, SimPod>();
  /** Registered brokers, and whether they serve. */
  readonly registered = new Map<number, boolean>();
  readonly data = new Map<number, number>();
  readonly settings = new Map<number, string[]>();
  readonly rebalances = new Map<string, SimRebalance>();
  record: DisruptionRecord = emptyRecord;
  readonly actions: string[] = [];
  #sidecar = 1;
  #uids = 0;
  #clock = 0;
  #blind = false;
  #lag: Pick<ScaleSeen, 'sets' | 'condemned' | 'rebalances'> | undefined;

  constructor(replicas: number) {
    this.replicas = replicas;
    while (this.pods.size < replicas) this.#world();
    for (const id of this.registered.keys()) this.data.set(id, 4);
  }

  /** Some time passes: pods end and start, brokers join and are fenced, balancings go on. */
  #world(): void {
    this.#clock += 10_000;
    // A broker is fenced some time after its pod has gone.
    for (const id of this.registered.keys()) if (!this.pods.has(id)) this.registered.set(id, false);
    for (const [ordinal, pod] of this.pods) if (pod.terminating) this.pods.delete(ordinal);
    for (let ordinal = 0; ordinal < this.replicas; ordinal++)
      if (!this.pods.has(ordinal)) {
        this.pods.set(ordinal, { uid: `uid-${ordinal}-${this.#uids++}`, version: 1, terminating: false });
        this.registered.set(ordinal, true);
        this.settings.set(ordinal, ordinal % 2 === 0 ? [] : ['follower.replication.throttled.rate']);
      }
    for (const one of this.rebalances.values()) this.#advance(one);
  }

  #advance(one: SimRebalance): void {
    if (one.phase === 'New') one.phase = one.object.spec.mode === 'remove-brokers' ? 'Approved' : 'Proposed';
    else if (one.phase === 'Approved' && this.record.holder === undefined) {
      this.#take(one.object.metadata.name);
      one.phase = 'Executing';
    } else if (one.stop && one.phase === 'Executing') one.phase = 'Stopping';
    else if (one.phase === 'Stopping') this.#ended(one, 'Stopped');
    else if (one.phase === 'Executing' && !this.#moved(one)) this.#ended(one, 'Done');
  }

  #ended(one: SimRebalance, phase: Phase): void {
    one.phase = phase;
    this.#giveBack(one);
  }

  /** One replica at a time; false where none is left to move. */
  #moved({ object: { spec } }: SimRebalance): boolean {
    const { brokers = [] } = spec;
    const [from] = brokers.filter((id) => (this.data.get(id) ?? 0) > 0);
    const to = [...this.registered].find(([id, serves]) => serves && !brokers.includes(id))?.[0];
    if (from === undefined || to === undefined) return false;
    this.data.set(to, (this.data.get(to) ?? 0) + 1);
    this.data.set(from, (this.data.get(from) ?? 0) - 1);
    return true;
  }

  #take(id: string): void {
    const outcome = take(this.record, { id, by: 'rebalance' }, { kind: 'rebalance' }, 0);
    assert.ok(outcome.ok);
    this.record = outcome.record;
  }

  #giveBack({ object }: SimRebalance): void {
    if (this.record.holder?.id !== object.metadata.name) return;
    const { holder: _holder, ...rest } = this.record;
    this.record = rest;
  }

  happen(trouble: Trouble): void {
    switch (trouble.kind) {
      case 'scale':
        this.replicas = trouble.to;
        return;
      case 'kill':
        this.#sidecar += 1;
        return;
      case 'topic':
        if (this.registered.get(trouble.broker) === true)
          this.data.set(trouble.broker, (this.data.get(trouble.broker) ?? 0) + 1);
        return;
      case 'evict': {
        const pod = this.pods.get(trouble.ordinal);
        if (pod !== undefined) pod.terminating = true;
        return;
      }
      case 'blind':
        this.#blind = true;
        return;
      case 'lag': {
        const { sets, condemned, rebalances } = this.#seen();
        this.#lag = { sets, condemned, rebalances };
        return;
      }
      case 'hold':
        if (this.record.holder === undefined) this.#take('somebody');
        else if (this.record.holder.id === 'somebody') this.endForeign();
        return;
      case 'time':
        this.#world();
    }
  }

  /** Whoever else held the record gives it back. */
  endForeign(): void {
    const { holder } = this.record;
    if (holder?.id !== 'somebody' || holder.state !== 'held') return;
    const restoring = { ...this.record, holder: { ...holder, step: 'restoring' as const } };
    const outcome = release(restoring, { id: 'somebody', by: 'rebalance' });
    assert.ok(outcome.ok);
    this.record = outcome.record;
  }

  #condemned(): Condemned[] {
    const ids = new Set([...this.pods.keys(), ...this.registered.keys()]);
    return [...ids]
      .filter((ordinal) => ordinal >= this.replicas)
      .map((ordinal) => {
        const uid = this.pods.get(ordinal)?.uid;
        return {
          ...{ set: 'kafka', pod: `kafka-${ordinal}`, ordinal, votes: false },
          ...(uid === undefined ? {} : { uid }),
          ...(this.registered.has(ordinal) ? { broker: ordinal } : {}),
        };
      });
  }

  #kafka(): KafkaSeen {
    const serving = [...this.registered].flatMap(([id, serves]) => (serves ? [id] : []));
    return {
      ...{ agreed: !this.#blind, mode: 'kraft' },
      ...{ replicas: new Map(this.data), serving: new Set(serving) },
      most: { replicas: replicationFactor, topics: ['orders'] },
    };
  }

  #held(): HeldPod | undefined {
    const { holder } = this.record;
    if (holder?.kind !== 'scale-in') return undefined;
    const ordinal = Number(holder.pod?.slice('kafka-'.length));
    const pod = this.pods.get(ordinal);
    const settings = this.settings.get(ordinal);
    return {
      wanted: ordinal < this.replicas,
      ...(pod === undefined
        ? {}
        : { pod: { uid: pod.uid, resourceVersion: String(pod.version), terminating: pod.terminating } }),
      ...(settings === undefined || this.registered.get(ordinal) !== true ? {} : { settings }),
    };
  }

  #seen(): ScaleSeen {
    const set: SetSeen = {
      ...{ name: 'kafka', uid: 'uid-kafka', replicas: this.replicas },
      ...{ serves: true, votes: false },
    };
    const held = this.#held();
    const wanted = Array.from({ length: this.replicas }, (_, id) => id);
    return {
      ...{ nowMs: this.#clock, by: `sidecar-${this.#sidecar}`, sets: [set], condemned: this.#condemned() },
      joined: wanted.flatMap((id) =>
        this.registered.get(id) === true ? [{ set: 'kafka', pod: `kafka-${id}`, broker: id }] : [],
      ),
      record: { known: true, record: this.record },
      kafka: this.#kafka(),
      rebalances: [...this.rebalances.values()].map(({ object, phase, stop }) => ({
        ...object,
        metadata: {
          ...object.metadata,
          annotations: stop ? { [keys.stop]: 'true', [keys.cancelled]: 'true' } : {},
        },
        status: {
          ...{ phase, reason: phase === 'Done' ? 'Executed' : phase },
          ...(phase === 'Done' ? { conditions: [] } : {}),
        },
      })),
      ...{ wanted, taken: [] },
      ...(held === undefined ? {} : { held }),
    };
  }

  /** One pass of the duty; `dies` before what it decided is carried out, or before what follows is written. */
  pass(dies: 'not' | 'before' | 'between' = 'not'): void {
    const seen = { ...this.#seen(), ...this.#lag };
    this.#lag = undefined;
    this.#blind = false;
    const scaleIn = nextScaleIn(seen);
    const { action } = scaleIn.action.do === 'nothing' ? nextScaleOut(seen) : scaleIn;
    if (dies !== 'before') this.#act(action, seen, dies === 'between');
    if (dies !== 'not') this.#sidecar += 1;
  }

  #act(action: Action, seen: ScaleSeen, dies: boolean): void {
    if (action.do === 'nothing') return;
    this.actions.push(action.do === 'write' ? `write ${action.write.to}` : action.do);
    switch (action.do) {
      case 'let-go':
        assert.fail('no set is scaled to zero here');
        return;
      case 'create':
        if (!this.rebalances.has(action.name)) this.#make(action.name, action);
        return;
      case 'redirect': {
        const { name } = action.rebalance.metadata;
        if (this.rebalances.has(name)) this.#make(name, { mode: 'add-brokers', brokers: action.brokers });
        return;
      }
      case 'stop':
      case 'remove':
        this.#end(action.rebalance.metadata, action.do);
        return;
      case 'write':
        this.#write(seen, action.write);
        return;
      case 'clear':
        this.settings.set(action.broker, []);
        return;
      case 'delete':
        this.#delete(action);
        return;
      case 'unregister':
        this.#unregister(action.broker);
        if (!dies) this.#write(seen, { to: 'release', cancelled: false });
    }
  }

  #make(name: string, { mode, brokers }: Pick<KafkaRebalance['spec'], 'mode' | 'brokers'>): void {
    const spec = { ...(mode && { mode }), ...(brokers && { brokers }) };
    this.rebalances.set(name, { object: rebalance(name, spec), phase: 'New', stop: false });
  }

  #end({ name, uid }: { name: string; uid: string }, how: 'stop' | 'remove'): void {
    const one = this.rebalances.get(name);
    if (one?.object.metadata.uid !== uid) return;
    if (how === 'stop') {
      one.stop = true;
      return;
    }
    // Its machinery takes back what is under way, when its object goes.
    this.#giveBack(one);
    this.rebalances.delete(name);
  }

  #write({ by, nowMs, record }: ScaleSeen, write: Parameters<typeof written>[1]): void {
    if (!record.known || record.record !== this.record) return;
    const outcome = written(this.record, write, { by, nowMs });
    assert.ok(outcome.ok, outcome.ok ? '' : outcome.message);
    this.record = outcome.record;
  }

  #delete({ pod: name, uid, resourceVersion }: Extract<Action, { do: 'delete' }>): void {
    const ordinal = Number(name.slice('kafka-'.length));
    const pod = this.pods.get(ordinal);
    if (pod?.uid !== uid || String(pod.version) !== resourceVersion) return;
    assert.ok(ordinal >= this.replicas, `${name} is wanted`);
    assert.equal(this.data.get(ordinal) ?? 0, 0, `${name} holds replicas`);
    assert.deepEqual(this.registered.has(ordinal) ? this.settings.get(ordinal) : [], []);
    assert.equal(this.record.holder?.kind, 'scale-in');
    pod.terminating = true;
  }

  #unregister(broker: number): void {
    assert.ok(broker >= this.replicas, `broker ${broker} is wanted`);
    assert.notEqual(this.registered.get(broker), true, `broker ${broker} serves`);
    assert.equal(this.data.get(broker) ?? 0, 0);
    this.registered.delete(broker);
    this.data.delete(broker);
  }

  isSettled(): boolean {
    return (
      this.record.holder === undefined &&
      [...this.pods.keys(), ...this.registered.keys()].every((ordinal) => ordinal < this.replicas) &&
      this.pods.size === this.replicas &&
      !this.rebalances.has('kafka-scale-in')
    );
  }
}

let objects = 0;

export const rebalance = (
  name: string,
  spec: Partial<KafkaRebalance['spec']>,
  status: KafkaRebalance['status'] = { phase: 'New' },
): KafkaRebalance => ({
  ...{ apiVersion, kind: 'KafkaRebalance' },
  metadata: { name, uid: `uid-${name}-${objects++}`, resourceVersion: '1' },
  spec: { cluster: 'kafka', ...spec },
  status,
});
