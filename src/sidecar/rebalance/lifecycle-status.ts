import { dated, type Finding } from '../conditions.ts';
import { durationText } from './amounts.ts';
import {
  isTerminal,
  type Phase,
  phaseOf,
  type RebalanceProgress,
  type RebalanceStatus,
} from './kafka-rebalance.ts';
import type { Action, Decision, LifecycleEvent, Seen } from './lifecycle-types.ts';

/** Changes of a status; progress as the executor tells it. */
type StatusFields = {
  readonly [K in Exclude<keyof RebalanceStatus, 'progress'>]?: RebalanceStatus[K] | undefined;
} & { readonly progress?: RebalanceProgress | undefined };

/** One step of the lifecycle before it is worded as a status. */
export interface Step {
  readonly phase: Phase;
  readonly reason: string;
  readonly message: string;
  readonly action: Action;
  /** Fields of the status that change; undefined removes one. */
  readonly fields?: StatusFields;
  readonly events?: readonly LifecycleEvent[];
  readonly againInMs?: number;
}

type Fields = Omit<RebalanceStatus, 'conditions'>;

const finding = (type: string, holds: boolean, reason: string, message: string): Finding => ({
  type,
  status: holds ? 'True' : 'False',
  reason,
  message,
});

const planned: readonly Phase[] = ['Proposed', 'Approved', 'Executing', 'Stopping', 'Done'];
const begun: readonly Phase[] = ['Executing', 'Stopping'];

function proposedCondition({ phase, reason, message }: Step, { plan, summary }: Fields): Finding {
  const holds = planned.includes(phase) || (isTerminal(phase) && plan !== undefined);
  const text = summary === undefined ? message : `a plan to move ${summary.move} is stored`;
  return holds ? finding('Proposed', true, 'Proposed', text) : finding('Proposed', false, reason, message);
}

function approvedCondition({ phase, reason, message }: Step, { plan, approval }: Fields): Finding {
  if (approval !== undefined && approval.hash === plan?.hash) {
    const by = approval.by === 'autoApprove' ? 'within the limits of spec.autoApprove' : 'by its annotation';
    return finding('Approved', true, 'Approved', by);
  }
  if (phase !== 'Proposed') return finding('Approved', false, 'NotApproved', 'no plan is approved');
  return finding('Approved', false, reason.startsWith('Proposed') ? 'NotApproved' : reason, message);
}

function executingCondition({ phase, reason, message }: Step): Finding {
  if (begun.includes(phase)) return finding('Executing', true, reason, message);
  if (phase === 'Approved') return finding('Executing', false, reason, message);
  return finding('Executing', false, phase, 'nothing is under way');
}

function doneCondition({ phase, reason, message }: Step): Finding {
  return isTerminal(phase)
    ? finding('Done', phase === 'Done', reason, message)
    : finding('Done', false, 'NotDone', `it is ${phase}`);
}

const warnings: readonly string[] = [
  'InvalidSpec',
  'StaleApproval',
  'ShortApproval',
  'PlanLost',
  'Drifted',
  'ExecutionFailed',
  'RecordLost',
];
/** Reasons that are no news of their own; what moves stands in the status. */
const quiet: readonly string[] = ['Executing', 'Waiting', 'Checking', 'Deleted'];

/** Told once, when phase or reason become another. */
function eventsOf(seen: Seen, { phase, reason, message, events = [] }: Step): LifecycleEvent[] {
  const { status } = seen.rebalance;
  const changed = phase !== phaseOf(seen.rebalance) || reason !== status?.reason;
  if (!changed || isTerminal(phaseOf(seen.rebalance)) || quiet.includes(reason)) return [...events];
  const ignoredChange = phase === 'Executing' && (reason === 'SpecChanged' || reason === 'Refreshed');
  const type = warnings.includes(reason) || ignoredChange ? 'Warning' : 'Normal';
  return [...events, { type, reason, message }];
}

/** `45%`, and how long it still takes. */
function worded(progress: RebalanceProgress | undefined): RebalanceStatus['progress'] {
  if (progress === undefined) return undefined;
  const { bytesMoved, bytesTotal, moved, total, etaSeconds } = progress;
  const share = bytesTotal > 0 ? bytesMoved / bytesTotal : total > 0 ? moved / total : 1;
  return {
    ...progress,
    summary: `${Math.floor(100 * Math.min(1, share))}%`,
    ...(etaSeconds !== undefined && { eta: durationText(etaSeconds) }),
  };
}

const withoutUndefined = <T extends object>(fields: T): T =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as T;

/** The decision that a step is, with the whole status in words. */
export function composed(seen: Seen, step: Step): Decision {
  const { status: before = {}, metadata } = seen.rebalance;
  const { conditions: earlier, ...kept } = before;
  const { progress: told, ...merged } = withoutUndefined({ ...kept, ...step.fields });
  const progress = worded(told);
  const fields: Fields = {
    ...(merged as Fields),
    ...(progress !== undefined && { progress }),
    ...(metadata.generation !== undefined && { observedGeneration: metadata.generation }),
    phase: step.phase,
    reason: step.reason,
    message: step.message,
  };
  const findings = [
    proposedCondition(step, fields),
    approvedCondition(step, fields),
    executingCondition(step),
    doneCondition(step),
  ];
  const conditions = dated(findings, earlier, seen.now);
  return {
    action: step.action,
    status: { ...fields, conditions },
    events: eventsOf(seen, step),
    ...(step.againInMs !== undefined && { againInMs: step.againInMs }),
  };
}

/**
 * The merge patch that turns one status into the other: what is gone is null. Undefined where nothing differs, so that
 * nothing is written.
 */
export function statusPatch(
  before: RebalanceStatus | undefined,
  after: RebalanceStatus,
): Record<string, unknown> | undefined {
  const patch = mergePatch({ ...before }, { ...after });
  return Object.keys(patch).length === 0 ? undefined : patch;
}

type Tree = Record<string, unknown>;
const isTree = (value: unknown): value is Tree =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function mergePatch(before: Tree, after: Tree): Tree {
  const patch: Tree = {};
  for (const key of Object.keys(before)) if (after[key] === undefined) patch[key] = null;
  for (const [key, value] of Object.entries(after)) {
    const old = before[key];
    if (isTree(value) && isTree(old)) {
      const inner = mergePatch(old, value);
      if (Object.keys(inner).length > 0) patch[key] = inner;
    } else if (value !== undefined && JSON.stringify(value) !== JSON.stringify(old)) patch[key] = value;
  }
  return patch;
}
