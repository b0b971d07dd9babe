import { minimumText, RESOURCES, type Resource } from '../../balance/index.ts';
import { bytesText, durationText, shareText } from '../../sidecar/rebalance/amounts.ts';
import { shortHash } from '../../sidecar/rebalance/canonical.ts';
import {
  type KafkaRebalance,
  phaseOf,
  type RebalanceStatus,
} from '../../sidecar/rebalance/kafka-rebalance.ts';
import { table } from '../output/table.ts';
import type { Style, Terminal } from '../output/terminal.ts';

const styles: Readonly<Record<string, Style>> = {
  Done: 'green',
  Failed: 'red',
  Executing: 'yellow',
  Stopping: 'yellow',
};

type Row = readonly [string, string];

const outsideText = (before: Readonly<Record<Resource, number>>, after: Readonly<Record<Resource, number>>) =>
  RESOURCES.map((name) => `${name} ${before[name]} → ${after[name]}`).join(', ');

function summaryRows({ summary }: RebalanceStatus): Row[] {
  if (summary === undefined) return [];
  const { boundShare, ratio, outsideBefore, outsideAfter, estimatedSeconds, confidence } = summary;
  const takes = estimatedSeconds === undefined ? '' : `; about ${durationText(estimatedSeconds)}`;
  const share = shareText(summary.shareToMove);
  const rows: (Row | undefined)[] = [
    [
      'moves',
      `${bytesText(summary.bytesToMove)} in ${summary.replicaMoves} replicas, ${share} of all data${takes}`,
    ],
    withinRow(summary),
    boundShare === undefined
      ? undefined
      : ['minimum', minimumText({ boundShare, ratio }, { share: shareText, ratio: (one) => one.toFixed(2) })],
    ['leaders', `${summary.leaderChanges} new`],
    outsideBefore &&
      outsideAfter && ['outside', `${outsideText(outsideBefore, outsideAfter)} (brokers beyond the band)`],
    confidence === undefined ? undefined : ['rests on', confidence],
  ];
  return rows.filter((row) => row !== undefined);
}

function withinRow({
  relocations = 0,
  bytesWithinBrokers = 0,
}: NonNullable<RebalanceStatus['summary']>): Row | undefined {
  if (relocations === 0) return undefined;
  const text = `${bytesText(bytesWithinBrokers)} in ${relocations} replicas, between log directories of their brokers`;
  return ['within', text];
}

function progressRows({ progress, refused = [], refusedCount = 0 }: RebalanceStatus): Row[] {
  const rows: Row[] = [];
  if (progress !== undefined) {
    const { summary, bytesMoved, bytesTotal, bytesPerSecond, moved, total, eta, waitingFor } = progress;
    const rate = bytesPerSecond > 0 ? ` at ${bytesText(bytesPerSecond)}/s` : '';
    const left = eta === undefined ? '' : `, ${eta} left`;
    rows.push([
      'progress',
      `${summary}: ${bytesText(bytesMoved)} of ${bytesText(bytesTotal)}${rate}, ${moved} of ${total} partitions${left}`,
    ]);
    if (waitingFor !== undefined) rows.push(['waits for', waitingFor]);
  }
  for (const { topic, partition, reason } of refused)
    rows.push(['refused', `${topic}-${partition}: ${reason}`]);
  if (refusedCount > refused.length) rows.push(['', `and ${refusedCount - refused.length} more`]);
  return rows;
}

function planRows({ plan, drift, approval }: RebalanceStatus): Row[] {
  const rows: Row[] = [];
  if (plan !== undefined)
    rows.push(['plan', `${shortHash(plan.hash)}, ${plan.partitions} partitions, made ${plan.createdAt}`]);
  if (drift !== undefined) {
    rows.push(['differs', `${drift.count} partitions from the plan ${shortHash(drift.hash)} before:`]);
    for (const example of drift.examples) rows.push(['', example]);
  }
  if (approval !== undefined) {
    const by = approval.by === 'annotation' ? 'by its annotation' : 'within spec.autoApprove';
    rows.push(['approved', `${by}, ${approval.at}`]);
  }
  return rows;
}

/** One rebalance, as a person wants to read it. */
export function rebalanceText(rebalance: KafkaRebalance, terminal: Terminal): string {
  const { metadata, spec, status = {} } = rebalance;
  const phase = phaseOf(rebalance);
  const name = terminal.paint('out', 'bold', `${metadata.namespace ?? ''}/${metadata.name}`);
  const mode =
    status.mode === 'given' || spec.plan
      ? 'a plan from elsewhere'
      : `mode ${status.mode ?? spec.mode ?? 'balance'}`;
  const rows: Row[] = [
    ['cluster', `${spec.cluster}, ${mode}`],
    ...summaryRows(status),
    ...planRows(status),
    ...progressRows(status),
    ['state', `${status.reason ?? 'New'}: ${status.message ?? 'no sidecar has taken it up yet'}`],
  ];
  const lines = table(rows.map(([label, text]) => ['', label, text]));
  return `${name}  ${terminal.paint('out', styles[phase] ?? 'cyan', phase)}\n${lines}`;
}

const age = (created: unknown, nowMs: number): string => {
  const ms = nowMs - Date.parse(String(created));
  return Number.isNaN(ms) ? '-' : durationText(ms / 1000);
};

/** One rebalance per row. */
export const rebalanceTable = (rebalances: readonly KafkaRebalance[], nowMs: number): string =>
  table([
    ['NAMESPACE', 'NAME', 'CLUSTER', 'MODE', 'PHASE', 'MOVE', 'PROGRESS', 'ETA', 'REASON', 'AGE'],
    ...rebalances.map((one) => {
      const { metadata, spec, status = {} } = one;
      const cells = [
        status.mode,
        phaseOf(one),
        status.summary?.move,
        status.progress?.summary,
        status.progress?.eta,
      ];
      return [
        metadata.namespace ?? '',
        metadata.name,
        spec.cluster,
        ...[...cells, status.reason].map((cell) => cell ?? '-'),
        age(metadata.creationTimestamp, nowMs),
      ];
    }),
  ]);

/** The object as JSON, without what only the API server needs. */
export function rebalanceJson(rebalance: KafkaRebalance): unknown {
  const { managedFields: _managed, ...metadata } = rebalance.metadata as KafkaRebalance['metadata'] & {
    managedFields?: unknown;
  };
  return { ...rebalance, metadata };
}

/** How to go on from here. */
export function nextStep({ metadata, status }: KafkaRebalance): string {
  const where = metadata.namespace === undefined ? '' : ` -n ${metadata.namespace}`;
  const command = (verb: string) => `kafka-warden rebalance ${verb} ${metadata.name}${where}`;
  switch (status?.phase) {
    case 'Proposed':
      return `To carry it out: ${command('approve')}\n`;
    case 'Approved':
    case 'Executing':
    case 'Stopping':
      return `To watch it: ${command('status')} --watch\n`;
    default:
      return '';
  }
}
