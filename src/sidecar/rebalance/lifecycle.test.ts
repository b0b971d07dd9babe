import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { keys } from '../../names.ts';
import type { KafkaRebalance, Phase, RebalanceSpec, RebalanceStatus } from './kafka-rebalance.ts';
import { statusPatch } from './lifecycle-status.ts';
import type { Execution, Proposal, Seen } from './lifecycle-types.ts';
import { nextOf } from './lifecycle.ts';
import { isOrphan } from './queue.ts';
import { settingsKey } from './settings.ts';
import { now, rebalanceOf } from './test/samples.ts';

const hash = 'ab'.repeat(32);
const other = 'cd'.repeat(32);
const spec: RebalanceSpec = { cluster: 'kafka' };
const settings = settingsKey(spec);
const plan = { hash, chunks: 1, partitions: 3, createdAt: '2026-11-23T11:00:00Z', settings };
const summary = {
  move: '12.4 GiB',
  bytesToMove: 13_314_398_617,
  shareToMove: 0.04,
  replicaMoves: 37,
  leaderChanges: 4,
  estimatedSeconds: 840,
};
const approval = { hash, by: 'annotation', at: '2026-11-23T11:30:00Z' } as const;
const none = { count: 0, examples: [] };
const drift = { count: 4, examples: ['orders-3 was on 1,2 and is on 2,4', 'b', 'c', 'd'] };
const approve = { [keys.approve]: hash };
const stop = { [keys.stop]: 'true' };

/** The status that an object has in a phase. */
const statusIn = (phase: Phase): RebalanceStatus => {
  if (phase === 'New') return {};
  if (phase === 'Proposing') return { phase, reason: 'Proposing', message: 'a plan is being searched for' };
  const proposed = { phase, reason: phase, message: '', plan, summary };
  return phase === 'Proposed' ? proposed : { ...proposed, approval };
};

const ready: Proposal = {
  state: 'ready',
  request: { settings },
  plan: { hash, chunks: 1, partitions: 3, createdAt: '2026-11-23T11:00:00Z' },
  summary,
};
const progress = {
  bytesMoved: 45,
  bytesTotal: 100,
  bytesPerSecond: 5,
  moved: 1,
  total: 3,
  underWay: 1,
  etaSeconds: 11,
};

interface Case {
  readonly in: Phase;
  readonly annotations?: Record<string, string>;
  readonly spec?: Partial<RebalanceSpec>;
  readonly status?: Partial<RebalanceStatus>;
  readonly deleted?: boolean;
  readonly others?: readonly KafkaRebalance[];
  readonly seen?: Partial<Seen>;
}

const decide = (given: Case) => {
  const status = { ...statusIn(given.in), ...given.status };
  const rebalance = rebalanceOf({
    status,
    ...(given.annotations && { annotations: given.annotations }),
    ...(given.spec && { spec: given.spec }),
    ...(given.deleted && { deleted: true }),
  });
  const all = [rebalance, ...(given.others ?? [])];
  return nextOf({ rebalance, all, lease: { state: 'free' }, now, ...given.seen });
};

const checked: Partial<Seen> = { stored: { state: 'sound', hash }, drift: none };
const running = (execution: Partial<Execution> = {}): Partial<Seen> => ({
  lease: { state: 'held', what: 'KafkaRebalance monday', uid: 'uid-of-monday' },
  execution: { hash, state: 'running', progress, ...execution },
});
const refused = {
  refused: [{ topic: 'orders', partition: 3, reason: 'was on 1,2 and is on 2,4' }],
  refusedCount: 1,
};
const executingOne = rebalanceOf({ name: 'sunday', status: statusIn('Executing') });
const elder = rebalanceOf({ name: 'sunday', created: '2026-11-22T10:00:00Z', status: statusIn('Approved') });
const given = { plan: { configMap: 'elsewhere' } };

/** What is seen, then the next phase, its reason, the action, and what the message must say. */
const table: [string, Case, Phase, string, string, RegExp?][] = [
  ['a new object is proposed', { in: 'New' }, 'Proposing', 'Proposing', 'propose'],
  [
    'a bad spec waits to be repaired',
    { in: 'New', spec: { mode: 'add-brokers' } },
    'New',
    'InvalidSpec',
    'nothing',
    /^spec\.brokers: .*name the brokers/,
  ],
  [
    'a new object waits while another is carried out',
    { in: 'New', others: [executingOne] },
    'New',
    'WaitingForOther',
    'nothing',
    /KafkaRebalance sunday/,
  ],
  [
    'a search that was lost with the sidecar begins again',
    { in: 'Proposing' },
    'Proposing',
    'Proposing',
    'propose',
  ],
  [
    'a search goes on',
    { in: 'Proposing', seen: { proposal: { state: 'running', request: { settings } } } },
    'Proposing',
    'Proposing',
    'nothing',
  ],
  [
    'a search for another spec is thrown away',
    { in: 'Proposing', seen: { proposal: { ...ready, request: { settings: 'other' } } } },
    'Proposing',
    'Proposing',
    'propose',
  ],
  [
    'what stands in the way is said',
    {
      in: 'Proposing',
      seen: {
        proposal: {
          state: 'blocked',
          request: { settings },
          reason: 'BrokerAway',
          message: 'broker 3 is away',
          at: now,
        },
      },
    },
    'Proposing',
    'BrokerAway',
    'nothing',
    /broker 3/,
  ],
  [
    'and tried again later',
    {
      in: 'Proposing',
      seen: {
        proposal: {
          state: 'blocked',
          request: { settings },
          reason: 'BrokerAway',
          message: 'broker 3 is away',
          at: new Date(now.getTime() - 31_000),
        },
      },
    },
    'Proposing',
    'BrokerAway',
    'propose',
  ],
  [
    'a plan is stored and shown',
    { in: 'Proposing', seen: { proposal: ready } },
    'Proposed',
    'Proposed',
    'store',
    /^12\.4 GiB in 37 replicas, 4 new leaders, about 14m$/,
  ],
  [
    'a plan in the place of one that drifted shows the difference',
    { in: 'Proposing', status: { drift: { hash: other, ...drift } }, seen: { proposal: ready } },
    'Proposed',
    'ProposedAgain',
    'store',
    /since the plan before: orders-3 was on 1,2 and is on 2,4; b; c and 1 more/,
  ],
  [
    'nothing to move is done',
    { in: 'Proposing', seen: { proposal: { ...ready, plan: { ...ready.plan, partitions: 0 } } } },
    'Done',
    'WithinBand',
    'store',
    /already within the band/,
  ],
  [
    'a plan from elsewhere that is in place is done',
    {
      in: 'Proposing',
      spec: given,
      seen: {
        proposal: {
          ...ready,
          request: { settings: settingsKey({ ...spec, ...given }) },
          plan: { ...ready.plan, partitions: 0 },
        },
      },
    },
    'Done',
    'NothingToDo',
    'store',
    /where the plan wants it/,
  ],
  [
    'a plan waits for approval',
    { in: 'Proposed' },
    'Proposed',
    'Proposed',
    'nothing',
    /12\.4 GiB to move: to approve it, run kafka-warden rebalance approve monday/,
  ],
  [
    'a stale approval is said',
    { in: 'Proposed', annotations: { [keys.approve]: other } },
    'Proposed',
    'StaleApproval',
    'nothing',
    /approved is cdcdcdcdcdcd, the plan is now abababababab/,
  ],
  [
    'limits that are too narrow are said',
    { in: 'Proposed', spec: { autoApprove: { maxBytes: '1Gi' } } },
    'Proposed',
    'OutsideLimits',
    'nothing',
    /allows 1\.0 GiB and the plan moves 12\.4 GiB/,
  ],
  [
    'what is copied within brokers counts towards the limits',
    {
      in: 'Proposed',
      spec: { autoApprove: { maxBytes: '50Gi' } },
      status: { summary: { ...summary, relocations: 9, bytesWithinBrokers: 40 * 2 ** 30 } },
    },
    'Proposed',
    'OutsideLimits',
    'nothing',
    /allows 50\.0 GiB and the plan moves 52\.4 GiB/,
  ],
  [
    'the annotation approves',
    { in: 'Proposed', annotations: approve },
    'Approved',
    'Approved',
    'nothing',
    /by its annotation/,
  ],
  [
    'the limits approve',
    { in: 'Proposed', spec: { autoApprove: { maxBytes: '50Gi' } } },
    'Approved',
    'Approved',
    'nothing',
    /by the limits of spec\.autoApprove/,
  ],
  [
    'a refresh proposes again',
    { in: 'Proposed', annotations: { [keys.refresh]: '1' } },
    'Proposing',
    'Refreshed',
    'propose',
  ],
  [
    'the same refresh does not',
    { in: 'Proposed', annotations: { [keys.refresh]: '1' }, status: { plan: { ...plan, refresh: '1' } } },
    'Proposed',
    'Proposed',
    'nothing',
  ],
  [
    'a changed spec is proposed for again',
    { in: 'Approved', annotations: approve, spec: { tolerance: '0.1' } },
    'Proposing',
    'SpecChanged',
    'propose',
  ],
  [
    'a stored plan that was lost is proposed again',
    {
      in: 'Approved',
      annotations: approve,
      seen: { stored: { state: 'lost', message: 'ConfigMap x is gone' } },
    },
    'Proposing',
    'PlanLost',
    'propose',
    /ConfigMap x is gone/,
  ],
  [
    'a stored plan with another hash is never begun',
    { in: 'Approved', annotations: approve, seen: { stored: { state: 'sound', hash: other }, drift: none } },
    'Proposing',
    'PlanLost',
    'propose',
  ],
  [
    'a plan for brokers that are not there waits, and holds nothing up meanwhile',
    { in: 'Approved', annotations: approve, seen: { ...checked, missing: [4, 7] } },
    'Approved',
    'WaitingForBrokers',
    'nothing',
    /waits for brokers 4, 7, which the plan fills/,
  ],
  [
    'a cluster that has changed is proposed for again',
    { in: 'Approved', annotations: approve, seen: { ...checked, drift } },
    'Proposing',
    'Drifted',
    'propose',
    /the cluster has changed .*orders-3 was on 1,2 and is on 2,4.* and 1 more/,
  ],
  [
    'an approval that is withdrawn counts no more',
    { in: 'Approved', seen: checked },
    'Proposed',
    'Proposed',
    'nothing',
  ],
  [
    'an approved plan waits for the one that is carried out',
    { in: 'Approved', annotations: approve, others: [executingOne], seen: checked },
    'Approved',
    'WaitingForOther',
    'nothing',
    /KafkaRebalance sunday/,
  ],
  [
    'and for an elder one',
    { in: 'Approved', annotations: approve, others: [elder], seen: checked },
    'Approved',
    'WaitingForOther',
    'nothing',
    /KafkaRebalance sunday/,
  ],
  [
    'and for a drain',
    {
      in: 'Approved',
      annotations: approve,
      seen: { ...checked, lease: { state: 'held', what: 'the drain of kafka-1' } },
    },
    'Approved',
    'WaitingForLease',
    'nothing',
    /waits for the drain of kafka-1/,
  ],
  ['nothing is begun unchecked', { in: 'Approved', annotations: approve }, 'Approved', 'Checking', 'nothing'],
  [
    'then it begins',
    { in: 'Approved', annotations: approve, seen: checked },
    'Executing',
    'Started',
    'start',
  ],
  [
    'it goes on',
    { in: 'Executing', annotations: approve, seen: running() },
    'Executing',
    'Executing',
    'continue',
    /^45 B of 100 B moved at 5 B\/s$/,
  ],
  [
    'a crash between start and status is caught up with',
    { in: 'Approved', annotations: approve, seen: running() },
    'Executing',
    'Executing',
    'continue',
  ],
  [
    'what it waits for is said',
    { in: 'Executing', seen: running({ progress: { ...progress, waitingFor: 'broker 2 to be in sync' } }) },
    'Executing',
    'Waiting',
    'continue',
    /waits for broker 2/,
  ],
  [
    'a changed spec is not taken up, and that is said',
    { in: 'Executing', spec: { tolerance: '0.1' }, seen: running() },
    'Executing',
    'SpecChanged',
    'continue',
    /the spec was changed during the execution, which goes on as approved/,
  ],
  [
    'nor is a refresh',
    { in: 'Executing', annotations: { [keys.refresh]: '1' }, seen: running() },
    'Executing',
    'Refreshed',
    'continue',
  ],
  [
    'a spec that became bad does not disturb it',
    { in: 'Executing', spec: { mode: 'add-brokers' }, seen: running() },
    'Executing',
    'SpecChanged',
    'continue',
  ],
  ['it ends', { in: 'Executing', seen: running({ state: 'done' }) }, 'Done', 'Executed', 'nothing'],
  [
    'refused steps lead back to a proposal',
    { in: 'Executing', seen: running({ state: 'done', ...refused }) },
    'Proposing',
    'Drifted',
    'propose',
    /^1 steps no longer applied .*orders-3: was on 1,2/,
  ],
  [
    'it fails with the reason',
    { in: 'Executing', seen: running({ state: 'failed', message: 'no rights' }) },
    'Failed',
    'ExecutionFailed',
    'nothing',
    /no rights/,
  ],
  [
    'it waits while the record cannot be read',
    {
      in: 'Executing',
      seen: { lease: { state: 'unknown', what: 'the disruption record to be put right (no JSON)' } },
    },
    'Executing',
    'RecordUnreadable',
    'nothing',
    /to be put right/,
  ],
  [
    'it fails where the record is gone',
    { in: 'Executing' },
    'Failed',
    'RecordLost',
    'nothing',
    /throttles that stayed/,
  ],
  [
    'stop ends it',
    { in: 'Executing', annotations: stop, seen: running() },
    'Stopping',
    'Stopping',
    'stop',
    /taken back/,
  ],
  ['a deletion ends it', { in: 'Executing', deleted: true, seen: running() }, 'Stopping', 'Stopping', 'stop'],
  [
    'stopping goes on, whatever becomes of the annotation',
    { in: 'Stopping', seen: running({ state: 'stopping' }) },
    'Stopping',
    'Stopping',
    'stop',
  ],
  [
    'it is stopped',
    {
      in: 'Stopping',
      annotations: stop,
      seen: running({ state: 'stopped', message: 'orders-3 could not be taken back' }),
    },
    'Stopped',
    'Stopped',
    'nothing',
    /could not be taken back/,
  ],
  [
    'a stop that came too late is done',
    { in: 'Stopping', annotations: stop, seen: running({ state: 'done' }) },
    'Done',
    'Executed',
    'nothing',
  ],
  ['a stop where nothing is under way is over', { in: 'Stopping' }, 'Stopped', 'Stopped', 'nothing'],
  ...(['New', 'Proposing', 'Proposed', 'Approved'] as const).map((phase): (typeof table)[number] => [
    `stop ends it in ${phase}`,
    { in: phase, annotations: { ...approve, ...stop }, seen: { ...checked, proposal: ready } },
    'Stopped',
    'Stopped',
    'nothing',
    /before anything was moved/,
  ]),
  ...(['Done', 'Stopped', 'Failed'] as const).map((phase): (typeof table)[number] => [
    `${phase} stays`,
    {
      in: phase,
      annotations: { ...approve, ...stop, [keys.refresh]: '1' },
      spec: { tolerance: '0.1' },
      seen: { ...checked, proposal: ready },
    },
    phase,
    phase,
    'nothing',
  ]),
  [
    'an execution of an ended object is stopped',
    { in: 'Failed', seen: running() },
    'Failed',
    'Failed',
    'stop',
  ],
];

suite('the lifecycle', () => {
  for (const [name, seen, phase, reason, action, message] of table)
    test(name, () => {
      const decision = decide(seen);
      const { status } = decision;
      assert.deepEqual([status.phase, status.reason, decision.action.do], [phase, reason, action]);
      if (message !== undefined) assert.match(status.message ?? '', message);
      const types = status.conditions?.map(({ type }) => type);
      assert.deepEqual(types, ['Approved', 'Done', 'Executing', 'Proposed']);
      assert.equal(status.observedGeneration, 1);
    });
});

const condition = (status: RebalanceStatus, type: string) => {
  const found = status.conditions?.find((one) => one.type === type);
  return `${found?.status} ${found?.reason}: ${found?.message}`;
};

test('the conditions say what holds, and why the others do not', () => {
  const proposed = decide({ in: 'Proposed', annotations: { [keys.approve]: other } }).status;
  assert.equal(condition(proposed, 'Proposed'), 'True Proposed: a plan to move 12.4 GiB is stored');
  assert.match(condition(proposed, 'Approved'), /^False StaleApproval: .*approved is cdcdcdcdcdcd/);
  assert.equal(condition(proposed, 'Executing'), 'False Proposed: nothing is under way');
  const executing = decide({ in: 'Executing', seen: running() }).status;
  assert.equal(condition(executing, 'Approved'), 'True Approved: by its annotation');
  assert.match(condition(executing, 'Executing'), /^True Executing: 45 B of 100 B/);
  assert.equal(condition(executing, 'Done'), 'False NotDone: it is Executing');
  assert.deepEqual([executing.progress?.summary, executing.progress?.eta], ['45%', '11s']);
  assert.match(
    condition(decide({ in: 'New', spec: { tolerance: '7' } }).status, 'Proposed'),
    /^False InvalidSpec: spec\.tolerance: 7/,
  );
});

test('an approval is recorded before anything begins, and what was stored of an earlier one is gone', () => {
  const { status } = decide({ in: 'Proposed', annotations: approve });
  assert.deepEqual(status.approval, { hash, by: 'annotation', at: '2026-11-23T12:00:00Z' });
  assert.equal(decide({ in: 'Approved', seen: checked }).status.approval, undefined);
  assert.equal(
    decide({ in: 'Approved', annotations: approve, seen: { ...checked, drift } }).status.approval,
    undefined,
  );
});

test('each change is an event once; moving figures are none', () => {
  const reasons = (seen: Case) => decide(seen).events.map(({ type, reason }) => `${type} ${reason}`);
  assert.deepEqual(reasons({ in: 'Proposed', annotations: { [keys.approve]: other } }), [
    'Warning StaleApproval',
  ]);
  assert.deepEqual(reasons({ in: 'Proposed' }), []);
  assert.deepEqual(reasons({ in: 'Executing', status: { reason: 'Executing' }, seen: running() }), []);
  assert.deepEqual(reasons({ in: 'Executing', spec: { tolerance: '0.1' }, seen: running() }), [
    'Warning SpecChanged',
  ]);
  assert.deepEqual(
    reasons({
      in: 'Executing',
      status: { reason: 'SpecChanged' },
      spec: { tolerance: '0.1' },
      seen: running(),
    }),
    [],
  );
  assert.deepEqual(reasons({ in: 'Executing', seen: running({ state: 'failed' }) }), [
    'Warning ExecutionFailed',
  ]);
  assert.deepEqual(reasons({ in: 'Done', annotations: { [keys.refresh]: '1' } }), ['Warning AlreadyEnded']);
});

test('what waits for a time looks again at that time', () => {
  const windows = [{ from: '12:10', to: '14:00' }];
  assert.equal(
    decide({ in: 'Proposed', spec: { autoApprove: { maxBytes: '50Gi', windows } } }).againInMs,
    600_000,
  );
});

test('an execution whose object has gone is an orphan, whoever took its name', () => {
  const holder = { name: 'monday', uid: 'uid-of-monday' };
  assert.equal(isOrphan(holder, undefined), false);
  assert.equal(isOrphan(holder, [rebalanceOf()]), false);
  assert.equal(isOrphan(holder, [rebalanceOf({ name: 'tuesday' })]), true);
  assert.equal(isOrphan({ ...holder, uid: 'uid-before' }, [rebalanceOf()]), true);
  assert.equal(isOrphan(holder, [rebalanceOf({ deleted: true })]), true);
});

test('the patch of a status removes what is gone and is nothing where nothing differs', () => {
  const status = statusIn('Approved');
  assert.equal(statusPatch(status, structuredClone(status)), undefined);
  const { approval: _gone, ...rest } = status;
  assert.deepEqual(statusPatch(status, { ...rest, plan: { ...plan, chunks: 2 } }), {
    approval: null,
    plan: { chunks: 2 },
  });
  assert.deepEqual(statusPatch(undefined, { phase: 'New' }), { phase: 'New' });
});
