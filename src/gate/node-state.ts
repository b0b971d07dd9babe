/* eslint-disable @typescript-eslint/no-non-null-assertion -- typed arrays, indices in range by construction */
import { leaderClock, limitsOf } from './evidence.ts';
import type { PodFacts } from './evidence.ts';
import { names } from './partitions.ts';
import type { Prepared } from './prepared.ts';
import { isCaughtUp } from './quorum.ts';
import type { RollPod, SyncFacts } from './roll-model.ts';

/**
 * Whether a pod serves anybody. A container that does not run serves nobody; else a broker does unless two others show it
 * fenced, and a controller unless the quorum has not heard of it lately.
 */
export function servingOf({ evidence }: Prepared, pod: PodFacts, containerRuns: boolean): RollPod['serving'] {
  if (!containerRuns) return 'no';
  const { nodeId } = pod;
  if (nodeId === undefined) return 'unknown';
  const others = evidence.views.filter(({ broker }) => broker !== nodeId);
  const fenced = others.filter(({ fencedSinceMs }) => fencedSinceMs.has(nodeId)).length;
  const broker = !pod.broker
    ? 'no'
    : fenced === 0 && others.length > 0
      ? 'yes'
      : fenced >= 2
        ? 'no'
        : 'unknown';
  const voter = pod.controller && evidence.mode === 'kraft' ? votes(evidence, nodeId) : 'no';
  if (broker === 'yes' || voter === 'yes') return 'yes';
  return broker === 'no' && voter === 'no' ? 'no' : 'unknown';
}

function votes({ quorum, settings }: Prepared['evidence'], nodeId: number): RollPod['serving'] {
  const nowMs = quorum === undefined ? undefined : leaderClock(quorum);
  if (quorum === undefined || nowMs === undefined) return 'unknown';
  const voter = quorum.voters.find(({ id }) => id === nodeId);
  return voter !== undefined && isCaughtUp(voter, nowMs, limitsOf(settings.values()).freshMs) ? 'yes' : 'no';
}

/**
 * How far a node is back, or undefined where it cannot be told: fewer than two views, or no quorum for a controller. In sync
 * means in every partition's ISR by every view; its leaders are back when it leads wherever it is the first replica.
 */
export function syncOf(prepared: Prepared, pod: PodFacts): SyncFacts | undefined {
  const { evidence } = prepared;
  const { nodeId } = pod;
  if (nodeId === undefined) return undefined;
  const parts = [
    ...(pod.broker ? [replicasOf(prepared, nodeId)] : []),
    ...(pod.controller && evidence.mode === 'kraft' ? [votingOf(evidence, nodeId)] : []),
  ];
  const known = parts.filter((part) => part !== undefined);
  if (known.length < parts.length || known.length === 0) return undefined;
  const left = evidence.catchingUp.find(({ broker }) => broker === nodeId)?.bytesLeft;
  return {
    readAtMs: Math.min(...known.map(({ readAtMs }) => readAtMs)),
    inSync: known.every(({ inSync }) => inSync),
    leadersBack: known.every(({ leadersBack }) => leadersBack),
    ...(left === undefined ? {} : { bytesLeft: left }),
  };
}

type Part = Pick<SyncFacts, 'readAtMs' | 'inSync' | 'leadersBack'>;

function votingOf(evidence: Prepared['evidence'], nodeId: number): Part | undefined {
  const { quorum } = evidence;
  const voting = votes(evidence, nodeId);
  if (quorum === undefined || voting === 'unknown') return undefined;
  return { readAtMs: quorum.readAtMs, inSync: voting === 'yes', leadersBack: true };
}

function replicasOf({ evidence, joined, rowsOf }: Prepared, broker: number): Part | undefined {
  const { views } = evidence;
  if (views.length < 2) return undefined;
  let [inSync, leadersBack] = [!views.some(({ fencedSinceMs }) => fencedSinceMs.has(broker)), true];
  for (const row of rowsOf.get(broker) ?? [])
    views.forEach(({ partitions: { replicas, isr, leader } }, v) => {
      const at = joined.rows[v]![row]!;
      if (at < 0 || !names(replicas, at, broker)) return;
      if (!names(isr, at, broker)) inSync = false;
      if (replicas.items[replicas.first[at]!] === broker && leader[at] !== broker) leadersBack = false;
    });
  return { readAtMs: Math.min(...views.map(({ readAtMs }) => readAtMs)), inSync, leadersBack };
}
