import type { Claim, DisruptionRecord, Frozen, Lease, Outcome, Step } from './record.ts';
import { advance, freeze, noteProgress, release } from './record.ts';
import type { Decision, RollPod, RollSnapshot, SetFacts, SyncFacts, Waiting } from './roll-model.ts';

/**
 * The way of one node from the moment it goes until its cluster is whole again: deleted → started → in sync → leaders back.
 * The same for a roll, an eviction and a loss. The lease says where it stands; what is done follows from what is seen, so
 * that a sidecar that was killed anywhere goes on as if it had only paused.
 */
export function carryOn(snapshot: RollSnapshot, record: DisruptionRecord, lease: Lease): Decision {
  const turn = new Turn(snapshot, record, lease);
  const decision = turn.thaw() ?? turn.next();
  return decision.do === 'wait' ? (sweep(snapshot) ?? decision) : decision;
}

/**
 * Whatever is waited for: a pod that was never of use, and stands in the way of a newer template, goes. Under OrderedReady
 * the pod that is waited for may not even be made before that.
 */
function sweep({ pods, sets }: RollSnapshot): Decision | undefined {
  return swept(pods.find((pod) => isUseless(pod) && isReplaceable(pod, sets)));
}

/**
 * While another duty holds the record, and may wait for a pod that its template keeps from starting: only one that never came up
 * and fails, and the next one when the newer template has come up in it. There is no lease that would stop at the first
 * if that one is broken as well.
 */
export function sweepBeside({ pods, sets }: RollSnapshot): Decision | undefined {
  const tried = (name: string, revision: string) =>
    pods.some((pod) => pod.set === name && pod.revision === revision && !pod.ready);
  return swept(
    pods.find(
      (pod) =>
        isUseless(pod) &&
        !pod.everReady &&
        pod.failing !== undefined &&
        isReplaceable(pod, sets) &&
        !tried(pod.set, setOf(sets, pod)?.updateRevision ?? ''),
    ),
  );
}

const swept = (pod: RollPod | undefined): Decision | undefined =>
  pod === undefined ? undefined : { do: 'delete', pod: pod.name, uid: pod.uid };

const isReplaceable = (pod: RollPod, sets: readonly SetFacts[]): boolean => {
  const set = setOf(sets, pod);
  return !pod.terminating && set?.blocked === undefined && isOutdated(pod, set);
};

/** What a transition gives to do; one that the record refuses is a mistake of this file's and must not pass unseen. */
export function written(outcome: Outcome): Decision {
  if (!outcome.ok) throw new Error(`${outcome.code}: ${outcome.message}`);
  return { do: 'write', record: outcome.record };
}

export const wait = (waiting: Waiting): Decision => ({ do: 'wait', waiting });

class Turn {
  readonly #snapshot: RollSnapshot;
  readonly #record: DisruptionRecord;
  readonly #lease: Lease;
  readonly #claim: Claim;
  /** The pod of that name as it is now, old or new. */
  readonly #pod: RollPod | undefined;
  readonly #set: SetFacts | undefined;

  constructor(snapshot: RollSnapshot, record: DisruptionRecord, lease: Lease) {
    this.#snapshot = snapshot;
    this.#record = record;
    this.#lease = lease;
    this.#claim = { id: lease.id, by: lease.by };
    this.#pod = snapshot.pods.find(({ name }) => name === lease.pod);
    this.#set = snapshot.sets.find(({ name }) => name === lease.set);
  }

  next(): Decision {
    return this.#scaledAway() ?? this.#nextStep();
  }

  #nextStep(): Decision {
    switch (this.#lease.step) {
      case 'checking':
        return this.#check();
      case 'deleting':
        return this.#delete();
      case 'going':
      case 'away':
        return this.#leave();
      case 'starting':
        return this.#start();
      case 'syncing':
        return this.#synchronise();
      case 'leaders':
        return this.#lead();
      default:
        return wait({ for: 'lease', holder: this.#lease });
    }
  }

  /**
   * Lifts a freeze as soon as it has no reason any more: another template, the new pod came up after all, or it was scaled
   * away before it was ever started.
   */
  thaw(): Decision | undefined {
    const [first, ...others] = this.#lease.frozen ?? [];
    if (first === undefined) return undefined;
    const set = this.#snapshot.sets.find(({ name }) => name === first.set);
    const repaired = set === undefined || (set.observed && set.updateRevision !== first.revision);
    const hasStarted = this.#pod?.everStarted === true || this.#pod?.failing !== undefined;
    if (!repaired && !this.#isBack() && !this.#isGivenUp(first, hasStarted))
      return hasStarted ? this.#proven(first, others) : undefined;
    if (set?.holdable === true && set.partition !== first.was)
      return { do: 'partition', set: first.set, partition: first.was };
    return written(freeze(this.#record, this.#claim, others));
  }

  #isGivenUp({ pending }: Frozen, hasStarted: boolean): boolean {
    return pending === true && !hasStarted && this.#isScaledAway();
  }

  /** It was started, and does not come up: the template it is. */
  #proven({ pending, ...first }: Frozen, others: readonly Frozen[]): Decision | undefined {
    return pending === true ? written(freeze(this.#record, this.#claim, [first, ...others])) : undefined;
  }

  /**
   * A pod that its set does not ask for any more is not carried back: what is left of it is for the scale-in, which waits for
   * this lease, and whether another one may go meanwhile is for the verdict. While sets are held at their old revision the
   * lease stays, with or without that pod: given back, the broken template would be rolled out to the next one.
   */
  #scaledAway(): Decision | undefined {
    const { step, pod = '', frozen = [] } = this.#lease;
    const isOnWayBack = step === 'starting' || step === 'syncing' || step === 'leaders';
    if (!isOnWayBack || !this.#isScaledAway()) return undefined;
    const [held] = frozen;
    if (held === undefined) return this.#release(true);
    return this.#hold(held) ?? wait({ for: 'repair', pod, revision: held.revision, ...failingOf(this.#pod) });
  }

  /** A partition that somebody else has set since is put back. */
  #hold({ set, partition }: Frozen): Decision | undefined {
    const found = this.#snapshot.sets.find(({ name }) => name === set);
    if (found?.holdable !== true || found.partition === partition) return undefined;
    return { do: 'partition', set, partition };
  }

  #check(): Decision {
    const old = this.#old();
    if (old === undefined || old.terminating || !isOutdated(old, this.#set)) return this.#release(false);
    if (isUseless(old)) return this.#advance('deleting');
    if (!this.#isNews()) return wait({ for: 'evidence' });
    const verdict = this.#snapshot.ask(old, this.#lease.id);
    return verdict.kind === 'deny' ? this.#release(false) : this.#advance('deleting');
  }

  #delete(): Decision {
    const old = this.#old();
    if (old === undefined || old.terminating) return this.#advance('starting');
    // Scaled away since: it would not come back, and its replicas have not moved yet.
    if (!this.#isExpected()) return this.#keep(old);
    if (isUseless(old)) return { do: 'delete', pod: old.name, uid: old.uid };
    if (!this.#isNews()) return wait({ for: 'evidence' });
    const verdict = this.#snapshot.ask(old, this.#lease.id);
    if (verdict.kind !== 'deny') return { do: 'delete', pod: old.name, uid: old.uid };
    const { nowMs, options } = this.#snapshot;
    // Evidence may be a little late, and the next read a yes again.
    return nowMs - this.#lease.stepSinceMs < options.patienceMs
      ? wait({ for: 'verdict', verdict })
      : this.#keep(old);
  }

  /**
   * The pod may not go any more: something else came between. An order to delete it may be on its way, from here or from a
   * process that was killed, and is made void before the lease goes to whatever came between.
   */
  #keep(old: RollPod): Decision {
    const mark = `${this.#lease.id}@${this.#lease.stepSinceMs}`;
    if (old.keptFrom !== mark) return { do: 'keep', pod: old.name, uid: old.uid, mark };
    // The first pod of a roll was whole; one that replaces another is to go all the same when it can.
    return this.#advance(this.#lease.id === rollOf(old.uid) ? 'checking' : 'starting');
  }

  /** An evicted pod is gone once its UID is; a lost broker may also come back in the same pod. */
  #leave(): Decision {
    const old = this.#old();
    const back = this.#lease.kind === 'loss' && old?.terminating === false;
    if (old === undefined || back) return this.#advance('starting');
    return wait({ for: 'gone', pod: old.name, stalled: this.#isStalled() });
  }

  #start(): Decision {
    if (this.#isBack()) return this.#advance('syncing');
    if (this.#pod === undefined && !this.#isExpected()) return this.#release(true);
    const [pod, set] = [this.#pod, this.#set];
    const settled = pod !== undefined && !pod.terminating && set?.observed === true;
    if (!settled || !this.#isBad(pod)) return this.#waitForStart();
    return pod.revision === set.updateRevision ? this.#freeze(pod, set) : this.#replace(pod);
  }

  /** The template is another one by now: the broken pod stands in its way, under OrderedReady for ever (K2). */
  #replace(pod: RollPod): Decision {
    if (!isOutdated(pod, this.#set)) return this.#waitForStart();
    if (isUseless(pod)) return this.#advance('deleting', pod.uid);
    if (!this.#isNews()) return wait({ for: 'evidence' });
    const verdict = this.#snapshot.ask(pod, this.#lease.id);
    return verdict.kind === 'deny' ? wait({ for: 'verdict', verdict }) : this.#advance('deleting', pod.uid);
  }

  #waitForStart(): Decision {
    return wait({ for: 'start', pod: this.#lease.pod ?? '', stalled: this.#isStalled() });
  }

  /** The rest stays at the old revision even where it is lost: the partition goes above the highest old ordinal. */
  #freeze(pod: RollPod, set: SetFacts): Decision {
    const known = this.#lease.frozen?.find((frozen) => frozen.set === set.name);
    const old = this.#snapshot.pods.filter(
      (other) => other.set === set.name && other.revision !== set.updateRevision,
    );
    if (known === undefined && old.length > 0 && set.holdable) {
      const partition = Math.max(...old.map(({ ordinal }) => ordinal)) + 1;
      const frozen: Frozen = {
        ...{ set: set.name, revision: set.updateRevision, partition, was: set.partition },
        ...(pod.everStarted || pod.failing !== undefined ? {} : { pending: true }),
      };
      return written(freeze(this.#record, this.#claim, [...(this.#lease.frozen ?? []), frozen]));
    }
    return (
      (known && this.#hold(known)) ??
      wait({ for: 'repair', pod: pod.name, revision: pod.revision, ...failingOf(pod) })
    );
  }

  #synchronise(): Decision {
    if (!this.#isBack()) return this.#advance('starting');
    const sync = this.#sync();
    if (sync === undefined) return wait({ for: 'evidence' });
    if (sync.inSync) return this.#advance('leaders');
    const { bytesLeft } = sync;
    const best = this.#lease.progress?.bytesLeft ?? Infinity;
    if (bytesLeft !== undefined && bytesLeft < best)
      return written(noteProgress(this.#record, this.#claim, bytesLeft, this.#snapshot.nowMs));
    const left = bytesLeft === undefined ? {} : { bytesLeft };
    return wait({ for: 'sync', pod: this.#lease.pod ?? '', ...left, stalled: this.#isStalled() });
  }

  #lead(): Decision {
    if (!this.#isBack()) return this.#advance('starting');
    const sync = this.#sync();
    if (sync === undefined) return wait({ for: 'evidence' });
    if (this.#isNewerThanStep()) return this.#advance('syncing');
    const leftMs = this.#namesKeptMs();
    if (leftMs > 0) return wait({ for: 'names', pod: this.#lease.pod ?? '', leftMs });
    // It was in sync a step ago; whether it is so still is for the verdict on the next one that goes.
    if (sync.leadersBack) return this.#release(false);
    if (!sync.inSync) return this.#advance('syncing');
    const { nowMs, options } = this.#snapshot;
    // Where another broker leads is no harm; a lease that is never given back would hold up every drain and roll.
    if (nowMs - this.#lease.stepSinceMs >= options.leadersPatienceMs) return this.#release(false);
    return { do: 'elect', broker: this.#lease.broker ?? -1 };
  }

  /** Nobody has seen it fall and come back, and its address is another one since. A clock that is ahead says nothing yet. */
  #isNewerThanStep(): boolean {
    const namedAtMs = this.#pod?.namedAtMs ?? -Infinity;
    return namedAtMs > this.#lease.stepSinceMs && namedAtMs <= this.#snapshot.nowMs;
  }

  /**
   * How long others may still look for it at the address of its former pod. It reaches them, and is in sync; but nobody would
   * fetch from it as a leader, nor vote with it, and the replicas of what it leads would leave the ISR.
   */
  #namesKeptMs(): number {
    const { nowMs, options, known } = this.#snapshot;
    const namedAtMs = this.#pod?.namedAtMs;
    if (namedAtMs === undefined || known.size < 2) return 0;
    // Not for ever where the clock of a node is ahead.
    return Math.min(namedAtMs, this.#lease.stepSinceMs) + options.namesKeptMs - nowMs;
  }

  #advance(to: Step, podUid?: string): Decision {
    const uid = podUid === undefined ? {} : { podUid };
    const move = { from: this.#lease.step, to, ...uid };
    return written(advance(this.#record, this.#claim, move, this.#snapshot.nowMs));
  }

  #release(gone: boolean): Decision {
    return written(release(this.#record, this.#claim, { gone }));
  }

  /** The pod that goes, while it is there. */
  #old(): RollPod | undefined {
    return this.#snapshot.pods.find(({ uid }) => uid === this.#lease.podUid);
  }

  /** Another pod than the one that went (after a loss it may be the same) is ready. */
  #isBack(): boolean {
    const pod = this.#pod;
    if (pod === undefined || pod.terminating || !pod.ready) return false;
    return this.#lease.kind === 'loss' || pod.uid !== this.#lease.podUid;
  }

  #isExpected(): boolean {
    const ordinal = this.#snapshot.known.get(this.#lease.pod ?? '')?.ordinal ?? ordinalOf(this.#lease.pod);
    return this.#set !== undefined && isExpected(ordinal, this.#set);
  }

  #isScaledAway(): boolean {
    return this.#set !== undefined && !this.#isExpected();
  }

  #isBad(pod: RollPod): boolean {
    return pod.failing !== undefined || this.#isStalled(pod.createdAtMs);
  }

  /** No progress for too long: since the step began, since less was left to copy, or since the new pod was made. */
  #isStalled(createdAtMs = 0): boolean {
    const { nowMs, options } = this.#snapshot;
    const last = Math.max(this.#lease.stepSinceMs, this.#lease.progress?.atMs ?? 0, createdAtMs);
    return nowMs - last > options.stallMs;
  }

  /** Whether the verdict looks at what was read after this step began. */
  #isNews(): boolean {
    return this.#snapshot.evidenceAtMs > this.#lease.stepSinceMs;
  }

  /** How far the node is back, where that was read after this step began: before, it may have been the old node. */
  #sync(): SyncFacts | undefined {
    const sync = this.#snapshot.sync.get(this.#lease.broker ?? -1);
    return sync !== undefined && sync.readAtMs > this.#lease.stepSinceMs ? sync : undefined;
  }
}

export const setOf = (sets: readonly SetFacts[], pod: RollPod): SetFacts | undefined =>
  sets.find(({ name }) => name === pod.set);

/** The lease of the roll of a pod. */
export const rollOf = (podUid: string): string => `roll/${podUid}`;

/**
 * Never ready, or kept from running by its kubelet (a crash loop): of no use to anybody, so that deleting it takes nothing away
 * and needs no evidence. A cluster that is down as a whole comes up again by a repaired template only because of this.
 */
export const isUseless = (pod: RollPod): boolean =>
  pod.serving === 'no' && (!pod.everReady || pod.failing !== undefined);

/** Whether a set asks for a pod of that ordinal. */
export const isExpected = (
  ordinal: number,
  { firstOrdinal, replicas }: Pick<SetFacts, 'firstOrdinal' | 'replicas'>,
): boolean => ordinal >= firstOrdinal && ordinal < firstOrdinal + replicas;

/** Of another revision than the template has, and not held back by the set's own partition. */
export const isOutdated = (pod: RollPod, set: SetFacts | undefined): boolean =>
  set !== undefined &&
  set.observed &&
  pod.revision !== set.updateRevision &&
  pod.ordinal >= set.partition &&
  isExpected(pod.ordinal, set);

const failingOf = (pod: RollPod | undefined): Pick<RollPod, 'failing'> =>
  pod?.failing === undefined ? {} : { failing: pod.failing };

const ordinalOf = (pod = ''): number => Number(pod.slice(pod.lastIndexOf('-') + 1));
