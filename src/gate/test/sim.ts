/* eslint-disable @typescript-eslint/no-non-null-assertion -- test code, as in the *.test.ts files beside it */
import { evidenceOf, nowMs as start, partition } from './cluster.ts';
import type { Evidence } from '../evidence.ts';
import type { IsrHistory } from '../isr-history.ts';
import { follow } from '../isr-history.ts';
import type { PartitionFacts } from '../partitions.ts';
import { prepare } from '../prepared.ts';
import type { Prepared } from '../prepared.ts';
import type { DisruptionRecord, Outcome } from '../record.ts';
import { emptyRecord, reserve, take } from '../record.ts';
import type { Decision, KnownNode, RollPod, RollSnapshot, SetFacts } from '../roll-model.ts';
import { nextStep } from '../roll.ts';
import { judge } from '../verdict.ts';

/** Chances, each for a tick of one second, asked in a fixed order of a seeded source. */
export interface Chances {
  readonly crash: number;
  readonly stale: number;
  readonly eviction: number;
  readonly loss: number;
}

interface Node {
  readonly id: number;
  readonly name: string;
  readonly set: string;
  readonly ordinal: number;
  readonly broker: boolean;
  readonly controller: boolean;
  pod: SimPod | undefined;
  /** Kafka answers. */
  alive: boolean;
  inSync: boolean;
  leadersBack: boolean;
  /** Ticks until the next thing happens to it. */
  ticks: number;
  fencedAtMs: number | undefined;
  /** A dead process stays in the ISRs until its session is over. */
  sessionEndsMs: number | undefined;
}

/** So long others look for a pod at the address of the one before. */
const namesKeptMs = 30_000;

interface SimPod {
  readonly uid: string;
  readonly revision: string;
  readonly createdAtMs: number;
  readonly namedAtMs: number;
  terminating: boolean;
  ready: boolean;
  everReady: boolean;
  failing: boolean;
  keptFrom?: string;
}

interface SimSet {
  name: string;
  revision: string;
  /** What pods below the partition are made from. */
  current: string;
  partition: number;
  broken: boolean;
  replicas: number;
  holdable: boolean;
}

/** A cluster of StatefulSets with their controller, Kafka's replication, and one sidecar that may be killed anywhere. */
export class Sim {
  nowMs = start;
  readonly nodes: Node[];
  readonly sets: SimSet[];
  record: DisruptionRecord = emptyRecord;
  /** Pods taken away by the sidecar or by an allowed eviction, in order. */
  readonly removed: string[] = [];
  /** No node takes this pod. */
  unschedulable: string | undefined;
  /** What must never happen. */
  readonly wrongs: string[] = [];
  readonly #random: () => number;
  #life = 0;
  #uids = 0;
  #history: IsrHistory | undefined;
  /** What informers may still show: the pods of the last few ticks. */
  readonly #past: { readonly pods: readonly RollPod[]; readonly podsReadAtMs: number }[] = [];
  /** Orders to delete that have not come in yet. */
  #late: {
    readonly uid: string;
    readonly then: RollPod | undefined;
    readonly atMs: number;
    /** Of no use when the order was sent: such a pod needs no lease. */
    readonly dead: boolean;
  }[] = [];
  /** Evidence of the tick before: still fresh enough for a verdict. */
  #earlier: ReturnType<Sim['evidence']> | undefined;

  constructor(
    random: () => number,
    shape: { readonly set: string; readonly nodes: number; readonly roles: string }[],
  ) {
    this.#random = random;
    this.sets = shape.map(({ set, nodes }) => ({
      name: set,
      revision: 'r1',
      current: 'r1',
      partition: 0,
      broken: false,
      replicas: nodes,
      holdable: true,
    }));
    let id = 0;
    this.nodes = shape.flatMap(({ set, nodes, roles }) =>
      Array.from({ length: nodes }, (_, ordinal): Node => {
        const node = {
          id: id++,
          name: `${set}-${ordinal}`,
          set,
          ordinal,
          ticks: 0,
          fencedAtMs: undefined,
          sessionEndsMs: undefined,
        };
        const [broker, controller] = [roles.includes('broker'), roles.includes('controller')];
        const pod = { ...this.#newPod('r1'), ready: true, everReady: true };
        return { ...node, broker, controller, pod, alive: true, inSync: true, leadersBack: true };
      }),
    );
  }

  template(set: string, revision: string, broken = false): void {
    const found = this.sets.find(({ name }) => name === set)!;
    Object.assign(found, { revision, broken });
  }

  /** `kubectl scale`: of the pods that go, none does before a scale-in has its turn. */
  scale(set: string, replicas: number): void {
    this.sets.find(({ name }) => name === set)!.replicas = replicas;
  }

  /** One second: the world moves, somebody may drain, the sidecar takes one step. */
  tick(chances: Chances): Decision {
    this.nowMs += 1000;
    for (const node of this.nodes) this.#move(node);
    this.#scaleIn();
    this.#comeIn();
    if (this.#random() < chances.loss) this.#lose(this.#pick());
    if (this.#random() < chances.eviction) this.#evict(this.#pick());
    const now = this.evidence();
    // With losses, evidence of a second ago is wrong in a way that no reader can see: the limit is 2 s, not 0.
    const older = chances.loss === 0 && this.#random() < chances.stale ? this.#earlier : undefined;
    this.#earlier = now;
    const past =
      this.#random() < chances.stale ? this.#past.at(-1 - Math.floor(5 * this.#random())) : undefined;
    this.#past.push({ pods: this.#pods(), podsReadAtMs: this.nowMs });
    const snapshot = { ...this.snapshot(), ...older, ...past };
    const decision = nextStep(snapshot);
    if (this.#random() < chances.crash) this.#life++;
    else {
      this.#carryOut(decision, snapshot.pods);
      if (this.#random() < chances.crash) this.#life++;
    }
    return decision;
  }

  get settled(): boolean {
    return (
      this.record.holder === undefined &&
      this.nodes.every((node) =>
        this.#isWanted(node) ? node.pod?.revision === this.#revisionFor(node) : node.pod === undefined,
      )
    );
  }

  snapshot(): RollSnapshot {
    const known = new Map(
      this.nodes
        .filter((node) => this.#isWanted(node))
        .map((node): [string, KnownNode] => [node.name, { ...node, nodeId: node.id }]),
    );
    return {
      nowMs: this.nowMs,
      by: `sidecar-${this.#life}`,
      sets: this.sets.map((set): SetFacts => ({
        ...set,
        updateRevision: set.revision,
        ...{ observed: true, firstOrdinal: 0 },
      })),
      pods: this.#pods(),
      podsReadAtMs: this.nowMs,
      known,
      record: { known: true, record: this.record },
      activeController: this.#leader(),
      ...this.evidence(),
      options: { stallMs: 120_000, patienceMs: 5_000, leadersPatienceMs: 60_000, namesKeptMs },
    };
  }

  /** The part of a snapshot that Kafka tells. */
  evidence(): Pick<RollSnapshot, 'sync' | 'evidenceAtMs' | 'ask'> {
    const prepared = this.#prepared();
    const facts = (node: Node) => ({
      readAtMs: this.nowMs - 100,
      inSync: node.alive && node.inSync,
      leadersBack: node.leadersBack,
    });
    return {
      sync: new Map(
        this.nodes
          .filter((node) => this.#isWanted(node) || node.pod !== undefined)
          .map((node) => [node.id, facts(node)]),
      ),
      evidenceAtMs: this.nowMs - 300,
      ask: (pod, leaseId) => {
        const current: Prepared = {
          ...prepared,
          evidence: { ...prepared.evidence, record: { known: true, record: this.record } },
        };
        return judge(current, { pod, nowMs: this.nowMs, ...(leaseId === undefined ? {} : { leaseId }) });
      },
    };
  }

  #isWanted({ set, ordinal }: Node): boolean {
    return ordinal < this.sets.find(({ name }) => name === set)!.replicas;
  }

  /** The duty of its own that lets pods go that were scaled away, their replicas moved: when nothing else is under way. */
  #scaleIn(): void {
    const { holder } = this.record;
    if (holder?.kind === 'scale-in') {
      const node = this.nodes.find(({ name }) => name === holder.pod)!;
      if (this.#isWanted(node) || node.pod === undefined) this.record = emptyRecord;
      else if (!node.pod.terminating) this.#end(node);
      return;
    }
    const next = this.nodes.findLast((node) => !this.#isWanted(node) && node.pod !== undefined);
    if (next === undefined) return;
    const subject = { kind: 'scale-in', pod: next.name, set: next.set, broker: next.id } as const;
    const taken = take(this.record, { id: next.name, by: `sidecar-${this.#life}` }, subject, this.nowMs);
    if (taken.ok) this.record = taken.record;
  }

  #carryOut(decision: Decision, seen: readonly RollPod[]): void {
    if (decision.do === 'write') this.record = decision.record;
    if (decision.do === 'partition')
      this.sets.find(({ name }) => name === decision.set)!.partition = decision.partition;
    if (decision.do === 'elect') this.#lead(this.nodes.find(({ id }) => id === decision.broker)!);
    if (decision.do === 'keep') {
      const pod = this.nodes.find((node) => node.pod?.uid === decision.uid)?.pod;
      if (pod !== undefined) pod.keptFrom = decision.mark;
    }
    if (decision.do !== 'delete') return;
    const then = seen.find(({ uid }) => uid === decision.uid);
    // A sidecar that is killed now may have sent the order: it comes in later.
    if (this.#random() < 0.1) {
      const dead = this.nodes.find(({ pod }) => pod?.uid === decision.uid)?.alive !== true;
      this.#late.push({ uid: decision.uid, then, atMs: this.nowMs + 4000 * this.#random(), dead });
    } else this.#delete(decision.uid, then);
  }

  /**
   * What has changed since a late order was sent nobody can know, but the lease that it was sent under still stands. One that
   * was dead may have come back meanwhile: then it must not be needed yet.
   */
  #comeIn(): void {
    const due = this.#late.filter(({ atMs }) => atMs <= this.nowMs);
    this.#late = this.#late.filter(({ atMs }) => atMs > this.nowMs);
    for (const { uid, then, dead } of due) {
      const node = this.nodes.find(({ pod }) => pod?.uid === uid);
      const { holder } = this.record;
      if (node === undefined || !this.#isAsSeen(node.pod, then)) continue;
      if (dead) {
        this.#remove(node);
        continue;
      }
      if (node.alive && holder?.pod !== node.name)
        this.wrongs.push(`${node.name} goes by an order of a lease that is over`);
      if (node.pod === undefined || node.pod.terminating) continue;
      if (node.alive) this.removed.push(node.name);
      this.#end(node);
    }
  }

  /** With the pod's resourceVersion as precondition: one that has changed since it was seen is not deleted. */
  #delete(uid: string, then: RollPod | undefined): void {
    const node = this.nodes.find(({ pod }) => pod?.uid === uid);
    if (node === undefined || !this.#isAsSeen(node.pod, then)) return;
    if (!this.#isWanted(node)) this.wrongs.push(`${node.name} goes before its scale-in`);
    this.#remove(node);
  }

  #isAsSeen(pod: SimPod | undefined, then: RollPod | undefined): boolean {
    return (
      then?.ready === pod?.ready && then?.terminating === pod?.terminating && then?.keptFrom === pod?.keptFrom
    );
  }

  #evict(node: Node): void {
    const pod = this.#pods().find(({ name }) => name === node.name);
    if (pod === undefined) return;
    const verdict = judge(this.#prepared(), { pod, nowMs: this.nowMs });
    if (verdict.kind !== 'allow') return;
    const claim = { id: `eviction/${pod.uid}`, by: `sidecar-${this.#life}` };
    const subject = { pod: pod.name, podUid: pod.uid, broker: node.id, set: node.set };
    const outcome: Outcome = reserve(this.record, claim, subject, this.nowMs);
    if (!outcome.ok) return;
    this.record = outcome.record;
    // Something after the gate may still refuse: then the reservation lapses.
    if (this.#random() < 0.8) this.#remove(node);
  }

  #remove(node: Node): void {
    if (node.pod === undefined || node.pod.terminating) return;
    if (node.alive) {
      this.removed.push(node.name);
      // One that died unseen, its pod still ready, keeps those of its own kind: a dead broker costs no majority of
      // controllers, a dead controller no replica, and one that was scaled away holds none any more.
      const away = this.nodes.filter(
        (other) =>
          other !== node &&
          (other.pod?.terminating === true ||
            (!other.alive &&
              this.#isWanted(other) &&
              ((other.broker && node.broker) || (other.controller && node.controller)))),
      );
      const voters = this.nodes.filter(({ controller }) => controller);
      const left = voters.filter((voter) => voter !== node && voter.alive);
      if (left.length <= voters.length / 2) this.wrongs.push(`no majority is left as ${node.name} goes`);
      if (away.length > 0)
        this.wrongs.push(`${node.name} goes while ${away.map(({ name }) => name).join()} is away`);
      for (const { isr, topic, partition: number } of this.#partitions())
        if (isr.includes(node.id) && this.#left(isr, node) < 2)
          this.wrongs.push(`${topic}-${number} falls below its minimum as ${node.name} goes`);
    }
    this.#end(node);
  }

  #end(node: Node): void {
    if (node.pod !== undefined) node.pod.terminating = true;
    node.ticks = 1 + Math.floor(3 * this.#random());
  }

  /** In-sync replicas that are so in truth, without a node. */
  #left(isr: readonly number[], without: Node): number {
    return this.nodes.filter((node) => node !== without && node.alive && isr.includes(node.id)).length;
  }

  /** The container dies, the pod vanishes, or the network is cut and nobody in Kubernetes sees it. */
  #lose(node: Node): void {
    if (node.pod === undefined || node.pod.terminating || !node.alive) return;
    Object.assign(node, { alive: false, leadersBack: false, sessionEndsMs: this.nowMs + 9000 });
    const how = this.#random();
    if (how < 0.33) node.pod.ready = false;
    else if (how < 0.66) node.pod = undefined;
    node.ticks = 3 + Math.floor(12 * this.#random());
  }

  #down(node: Node): void {
    Object.assign(node, { alive: false, inSync: false, leadersBack: false });
    node.fencedAtMs ??= this.nowMs;
  }

  #move(node: Node): void {
    if (!node.alive && node.sessionEndsMs !== undefined && this.nowMs >= node.sessionEndsMs) this.#down(node);
    if (node.ticks > 0) {
      node.ticks--;
      return;
    }
    const { pod } = node;
    if (pod?.terminating === true) {
      this.#down(node);
      node.pod = undefined;
    } else if (pod === undefined) {
      if (!this.#isWanted(node)) return;
      node.pod = this.#newPod(this.#revisionFor(node));
      node.ticks = 2 + Math.floor(4 * this.#random());
    } else if (!pod.ready) {
      if (this.unschedulable === node.name) return;
      pod.failing = pod.revision.endsWith('broken');
      if (pod.failing) return;
      Object.assign(pod, { ready: true, everReady: true });
      this.#revive(node);
      node.ticks = 1 + Math.floor(5 * this.#random());
    } else if (!node.alive) {
      this.#revive(node);
      node.ticks = 1;
    } else node.inSync = true;
  }

  /** A new session: out of all ISRs until it has caught up. */
  #revive(node: Node): void {
    Object.assign(node, { alive: true, inSync: false, fencedAtMs: undefined, sessionEndsMs: undefined });
  }

  /** Nobody would follow a leader that is looked for where its former pod was. */
  #lead(node: Node): void {
    if (this.nowMs - (node.pod?.namedAtMs ?? -Infinity) < namesKeptMs)
      this.wrongs.push(`${node.name} leads too early`);
    node.leadersBack = true;
  }

  #newPod(revision: string): SimPod {
    const rest = { terminating: false, ready: false, everReady: false, failing: false };
    return { uid: `u${this.#uids++}`, revision, createdAtMs: this.nowMs, namedAtMs: this.nowMs, ...rest };
  }

  #revisionFor({ set, ordinal }: Node): string {
    const { partition: held, current, revision, broken } = this.sets.find(({ name }) => name === set)!;
    return ordinal < held ? current : revision + (broken ? 'broken' : '');
  }

  #pods(): RollPod[] {
    return this.nodes.flatMap((node): RollPod[] => {
      if (node.pod === undefined) return [];
      const { failing, ...pod } = node.pod;
      return [
        {
          ...pod,
          name: node.name,
          set: node.set,
          ordinal: node.ordinal,
          // Kubernetes knows revisions by their hash alone; whether one is broken only shows.
          revision: pod.revision.replace('broken', ''),
          member: true,
          nodeId: node.id,
          broker: node.broker,
          controller: node.controller,
          phase: 'Running',
          everStarted: pod.everReady || failing,
          override: false,
          node: { cordoned: true, tainted: false, gone: false },
          serving: node.alive ? 'yes' : 'no',
          ...(failing ? { failing: 'CrashLoopBackOff' } : {}),
        },
      ];
    });
  }

  #partitions(): PartitionFacts[] {
    const brokers = this.nodes.filter((node) => node.broker && this.#isWanted(node));
    return brokers.map((_, i) => {
      const replicas = [0, 1, 2].map((k) => brokers[(i + k) % brokers.length]!);
      const isr = replicas.filter(({ inSync }) => inSync).map(({ id }) => id);
      return partition(
        'orders',
        i,
        replicas.map(({ id }) => id),
        isr,
      );
    });
  }

  #prepared(): Prepared {
    const { nodes, nowMs } = this;
    const sketch = { brokers: nodes.length, partitions: this.#partitions(), min: { orders: 2 } };
    const base = evidenceOf(sketch);
    const [view] = base.views;
    this.#history = follow(this.#history, view!.partitions, nowMs - 200);
    const member = ({ id, alive }: Node) => ({
      id,
      lastFetchMs: alive ? 5000 : 0,
      lastCaughtUpMs: alive ? 5000 : 0,
    });
    const fenced = new Map(
      nodes.flatMap(({ id, fencedAtMs }) => (fencedAtMs === undefined ? [] : [[id, fencedAtMs] as const])),
    );
    const evidence: Evidence = {
      ...base,
      quorum: {
        ...base.quorum!,
        readAtMs: nowMs - 300,
        leaderId: this.#leader(),
        voters: nodes.filter(({ controller }) => controller).map(member),
        observers: nodes.filter(({ controller }) => !controller).map(member),
      },
      views: nodes
        .filter(({ alive, broker }) => alive && broker)
        .map(({ id }) => ({ ...view!, broker: id, readAtMs: nowMs - 200, fencedSinceMs: fenced })),
      pings: new Map(
        nodes.map(({ id, alive }) => [id, { sentAtMs: nowMs - 100, ...(alive ? { tookMs: 1 } : {}) }]),
      ),
      minIsr: { ...base.minIsr!, readAtMs: nowMs - 1000 },
      settings: new Map(nodes.map(({ id }) => [id, { replicaLagTimeMaxMs: 2000, sessionTimeoutMs: 9000 }])),
      history: this.#history,
      pods: this.#pods(),
      missingPods: nodes
        .filter((node) => node.pod === undefined && this.#isWanted(node))
        .map(({ name }) => name),
      record: { known: true, record: this.record },
    };
    return prepare(evidence);
  }

  #leader(): number {
    return this.nodes.find(({ controller, alive }) => controller && alive)?.id ?? -1;
  }

  #pick(): Node {
    return this.nodes[Math.floor(this.#random() * this.nodes.length)]!;
  }
}
