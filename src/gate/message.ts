import type { CatchingUp } from './evidence.ts';
import type { NotAliveCause, Partitions, Reason, Unknown, Verdict, Why } from './reasons.ts';

type Denied = Extract<Verdict, { kind: 'deny' }>;

/** The HTTP status and reason of a refused eviction, which `kubectl drain` takes as "try again". */
export const refusalStatus = { code: 429, reason: 'TooManyRequests' } as const;

/**
 * Why a pod may not go now, as one paragraph: what stands in the way by weight, at most ten partitions by name, and what it
 * waits for. The same verdict gives the same text.
 */
export function refusal(verdict: Denied): string {
  const reasons = trimmed(verdict.reasons)
    .map((reason) => sentence(reason, inline))
    .join('; ');
  const waiting = verdict.waitingFor.map(catchingUp);
  return [`${verdict.pod} cannot go yet: ${reasons}`, ...waiting].join('; ') + `. ${closing(verdict)}`;
}

/** The same for a terminal: a line for each reason and partition. */
export function explanation(verdict: Verdict): string {
  if (verdict.kind !== 'deny') return outcome(verdict);
  const [first, ...rest] = trimmed(verdict.reasons).map((reason) => sentence(reason, table));
  return [
    `${verdict.pod} cannot go yet: ${first ?? ''}`,
    ...rest,
    ...verdict.waitingFor.map(catchingUp),
    `${closing(verdict)}${age(verdict)}`,
  ].join('\n');
}

/**
 * For events on a StatefulSet: constant for each reason, as the limiter lets few through and counts equal ones together.
 * The figures stand in the cluster's status.
 */
export const eventText: Record<Why, string> = {
  'below-min-isr':
    'Partitions would fall below min.insync.replicas; it goes on when their replicas are in sync.',
  'rf-at-min':
    'Partitions have no replica to spare (replication factor at or below min.insync.replicas), and rf-at-min is "block".',
  leaderless: 'Partitions without a leader wait for this broker.',
  'unstable-isr': 'In-sync replicas changed a moment ago; it goes on when they have been stable.',
  'views-disagree': 'Brokers disagree about the partitions; it goes on when they agree.',
  'quorum-majority': 'The controller quorum has no voter to spare.',
  'quorum-behind': 'Too few controllers are caught up; it goes on when they are.',
  'not-alive': 'A broker that is counted on does not answer or does not follow the metadata.',
  'too-old': 'What is known of the cluster is too old; it goes on when the brokers answer again.',
  'view-behind': 'A broker has not read the newest metadata; it goes on when it has.',
  'lease-held': 'Another disruption of this cluster is under way; it goes on after that.',
  'other-away': 'Another pod of this cluster is away; it goes on when that is ready.',
  'eviction-loop': 'The pod has been evicted again and again from a node that nobody drains.',
  unknown: 'Something that a verdict needs is not known.',
};

/** A message names ten partitions over all its reasons, the first reasons first. */
function trimmed(reasons: readonly Reason[]): Reason[] {
  let left = 10;
  return reasons.map((reason) => {
    if (!('partitions' in reason)) return reason;
    const partitions = reason.partitions.slice(0, left);
    left -= partitions.length;
    return { ...reason, partitions };
  });
}

type Naming = (partitions: Partitions) => string;

const inline: Naming = ({ count, partitions }) => {
  if (partitions.length === 0) return '';
  const named = partitions.map(
    ({ topic, partition, isr, replicas, min }) =>
      `${topic}-${partition}: ISR ${ids(isr)} of ${ids(replicas)}, min ${min < 1 ? 'unknown' : min}`,
  );
  const more = count > partitions.length ? [`and ${count - partitions.length} more`] : [];
  return ` (${[...named, ...more].join('; ')})`;
};

const table: Naming = ({ count, partitions }) => {
  const cells = partitions.map(({ topic, partition, isr, replicas, min }) => [
    `${topic}-${partition}`,
    `in sync ${ids(isr)}`,
    `of ${ids(replicas)}`,
    `min ${min < 1 ? 'unknown' : min}`,
  ]);
  const width = (column: number): number => Math.max(...cells.map((row) => row[column]?.length ?? 0));
  const lines = cells.map((row) => `  ${row.map((cell, i) => cell.padEnd(width(i))).join('   ')}`.trimEnd());
  const more = count > partitions.length ? [`  and ${count - partitions.length} more`] : [];
  return ['', ...lines, ...more].join('\n');
};

const ids = (brokers: readonly number[]): string => (brokers.length === 0 ? 'none' : brokers.join(','));
const many = (count: number, noun = 'partition'): string => `${count} ${noun}${count === 1 ? '' : 's'}`;

function sentence(reason: Reason, naming: Naming): string {
  switch (reason.why) {
    case 'below-min-isr':
      return `${many(reason.count)} would fall below min.insync.replicas${naming(reason)}`;
    case 'rf-at-min':
      return `${many(reason.count)} with no replica to spare (replication factor at or below min.insync.replicas, and rf-at-min is "block")${naming(reason)}`;
    case 'leaderless':
      return `${many(reason.count)} without a leader may need it${naming(reason)}`;
    case 'unstable-isr':
      return `${many(reason.count)} had the same in-sync replicas for only ${seconds(reason.shortestMs)} of ${seconds(reason.neededMs)}${naming(reason)}`;
    case 'views-disagree':
      return `brokers ${ids(reason.brokers)} disagree about ${many(reason.count)}${naming(reason)}`;
    default:
      return clusterSentence(reason);
  }
}

function clusterSentence(reason: Exclude<Reason, Partitions>): string {
  switch (reason.why) {
    case 'quorum-majority':
      return `the controller quorum would lose its majority (${many(reason.voters, 'voter')}, ${reason.majority} needed)`;
    case 'quorum-behind':
      return `of the ${reason.voters} controllers only ${reason.caughtUp} besides it ${reason.caughtUp === 1 ? 'is' : 'are'} caught up, ${reason.majority} needed (behind: ${ids(reason.behind)})`;
    case 'not-alive':
      return reason.brokers.map(({ broker, cause }) => `broker ${broker} ${causes[cause]}`).join(', ');
    case 'other-away':
      return reason.pods.map(({ pod, state }) => `${pod} is ${state}`).join(', ');
    case 'too-old':
      return `${olds[reason.what]}${reason.broker === undefined ? '' : ` of broker ${reason.broker}`} is ${seconds(reason.ageMs)} old, at most ${seconds(reason.limitMs)} allowed`;
    case 'view-behind':
      return `broker ${reason.broker} has not read the newest metadata`;
    case 'lease-held':
      return `the ${reason.kind}${reason.pod === undefined ? ` ${reason.id}` : ` of ${reason.pod}`} is under way since ${new Date(reason.sinceMs).toISOString()} (step: ${reason.step}${reason.percent === undefined ? '' : `, ${reason.percent}%`})`;
    case 'eviction-loop':
      return `it was evicted ${reason.times} times within ${seconds(reason.windowMs)} from nodes that are neither cordoned nor tainted`;
    case 'unknown':
      return unknownSentence(reason);
  }
}

const causes: Record<NotAliveCause, string> = {
  terminating: 'is terminating',
  'no-pod': 'has no pod',
  'not-running': 'is not running',
  'no-answer': 'does not answer',
  'metadata-behind': 'does not follow the metadata',
  fenced: 'is fenced',
};

const olds = {
  quorum: 'the description of the quorum',
  view: 'the metadata',
  ping: 'the last answer',
  'min-isr': 'what is known of min.insync.replicas',
} as const;

const unknowns: Record<Unknown, string> = {
  record: 'the disruption record cannot be read',
  'node-id': 'its node id is not known',
  quorum: 'the controller quorum does not answer',
  'quorum-clock': 'the quorum does not tell its time',
  views: 'too few other brokers have told their metadata',
  ping: 'it is not known whether the broker answers',
  'min-isr': 'min.insync.replicas is not known',
  settings: 'replica.lag.time.max.ms and the session timeout are not known',
  'metadata-offset': 'it is not known how far the metadata was read',
  controller: 'the brokers do not name one controller',
};

function unknownSentence({ what, broker, detail }: Extract<Reason, { why: 'unknown' }>): string {
  const where = broker === undefined ? '' : ` (broker ${broker})`;
  return `${unknowns[what]}${where}${detail === undefined ? '' : `: ${detail}`}`;
}

function catchingUp({ broker, bytesLeft, secondsLeft }: CatchingUp): string {
  const left = bytesLeft === undefined ? '' : `, ${bytes(bytesLeft)} left`;
  const time = secondsLeft === undefined ? '' : `, about ${seconds(1000 * secondsLeft)}`;
  return `broker ${broker} is catching up${left}${time}`;
}

/** What will not mend itself. */
const remedies: Partial<Record<Why, string>> = {
  'quorum-majority': 'Add controllers, or override for this pod.',
  'rf-at-min': 'Raise the replication factor, or set rf-at-min to "warn".',
  'eviction-loop':
    'See what evicts it (a descheduler, an autoscaler); cordon the node if it is to be emptied.',
};

/** A rebalance may take hours, and can be ended in seconds without harm. */
const rebalanceRemedy = (reason: Reason): string[] =>
  reason.why === 'lease-held' && reason.kind === 'rebalance'
    ? [
        `It will pass when the rebalance is done. To go on at once: kafka-warden rebalance stop ${reason.id}; what has moved stays.`,
      ]
    : [];

function closing({ reasons }: Denied): string {
  const own = reasons.flatMap((reason) => remedies[reason.why] ?? rebalanceRemedy(reason));
  return own.length > 0 ? [...new Set(own)].join(' ') : 'Nothing to do: it will pass when asked again later.';
}

const passes = {
  other: 'it is no broker or controller of this cluster',
  terminating: 'it is terminating',
  finished: 'it has ended',
  'never-started': 'it has never started',
  fenced: 'its broker is away and nothing waits for it',
  override: 'a person has overridden the gate for it',
} as const;

function outcome(verdict: Exclude<Verdict, Denied>): string {
  const head =
    verdict.kind === 'allow' ? `${verdict.pod} may go` : `${verdict.pod} passes: ${passes[verdict.why]}`;
  const set = verdict.kind === 'pass' ? (verdict.overridden ?? []) : [];
  const overridden = trimmed(set).map((reason) => `set aside: ${sentence(reason, table)}`);
  const atMin =
    verdict.atMin === undefined
      ? []
      : [`${many(verdict.atMin.count)} without a replica to spare${table(verdict.atMin)}`];
  return [`${head}.${age(verdict)}`, ...overridden, ...atMin].join('\n');
}

/** `1.2 GiB`, `640 KiB`, `17 B`. */
export function bytes(count: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];
  const power = count < 1024 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(count) / 10));
  const value = count / 1024 ** power;
  return `${power === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[power] ?? ''}`;
}

const age = ({ evidenceAgeMs }: Verdict): string =>
  evidenceAgeMs === undefined ? '' : ` (evidence ${(evidenceAgeMs / 1000).toFixed(1)} s old)`;

/** `0.8 s`, `40 s`, `12 min`, `3 h`. */
function seconds(ms: number): string {
  const s = ms / 1000;
  if (s < 10) return `${Math.round(10 * s) / 10} s`;
  if (s < 120) return `${Math.round(s)} s`;
  return s < 7200 ? `${Math.round(s / 60)} min` : `${Math.round(s / 3600)} h`;
}
