import { readFileSync, writeFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import {
  DEFAULT_TOLERANCE,
  DEFAULT_TRIGGER,
  ModelError,
  minimumText,
  defaultBudgetMs,
  marked,
  parseModel,
  planInWorker,
  report,
  RESOURCES,
  type ClusterModel,
  type Mode,
  type Plan,
  type Request,
  type Summary,
  type TopicPile,
} from '../../balance/index.ts';
import { CliError, exitCodes, type ExitCode } from '../errors.ts';
import type { Terminal } from '../output/terminal.ts';

export interface PlanOptions {
  readonly model?: string;
  /** A running cluster instead of a file. */
  readonly cluster?: string;
  readonly namespace?: string;
  readonly kubeconfig?: string;
  readonly saveModel?: string;
  readonly mode?: Mode;
  readonly brokers?: readonly string[];
  readonly tolerance?: string;
  readonly trigger?: string;
  readonly budget?: string;
  readonly steps?: string;
  readonly seed?: string;
  readonly leaderWeight?: string;
  readonly excludeTopic?: readonly string[];
  readonly excludeBroker?: readonly string[];
  readonly output?: string;
  readonly html?: string;
  readonly json?: boolean;
}

const units: Record<string, number> = { ms: 1, s: 1000, m: 60_000 };

/** `500ms`, `5s` or `2m` in milliseconds. */
const duration = (text: string): number => {
  const [, amount, unit] = /^(\d+(?:\.\d+)?)(ms|s|m)$/.exec(text) ?? [];
  const factor = units[unit ?? ''];
  if (amount === undefined || factor === undefined || Number(amount) === 0)
    throw new CliError('usage', `--budget ${text} is not a duration. Write 500ms, 5s or 2m.`);
  return Number(amount) * factor;
};

const number = (option: string, text: string, most = Infinity): number => {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value) || value < 0 || value > most)
    throw new CliError(
      'usage',
      `${option} ${text} is not a number${most < Infinity ? ` from 0 to ${most}` : ' ≥ 0'}.`,
    );
  return value;
};

const brokerId = (option: string, text: string): number => {
  if (!/^\d+$/.test(text.trim()))
    throw new CliError('usage', `${option} ${text} is not a node id. Write ids as 4,5.`);
  return Number(text);
};

const read = (file: string): ClusterModel => {
  let bytes: Buffer;
  try {
    bytes = readFileSync(file === '-' ? 0 : file);
  } catch (error) {
    throw new CliError('unreadable-file', `${file}: ${(error as Error).message}`);
  }
  try {
    const gzipped = bytes[0] === 0x1f && bytes[1] === 0x8b;
    return parseModel(JSON.parse((gzipped ? gunzipSync(bytes) : bytes).toString('utf8')));
  } catch (error) {
    if (error instanceof ModelError) throw new CliError('invalid-object', error.message, { file });
    throw new CliError('invalid-object', `is not a cluster model in JSON: ${(error as Error).message}`, {
      file,
    });
  }
};

/** The model of a file, or of a running cluster. */
const modelOf = async (options: PlanOptions, terminal: Terminal): Promise<ClusterModel> => {
  const { model, cluster } = options;
  if (model !== undefined && cluster === undefined) return read(model);
  if (cluster === undefined || model !== undefined)
    throw new CliError('usage', 'Give either --model FILE or --cluster NAME.');
  const { liveModel } = await import('../rebalance/live-model.ts');
  const { brokers, ...rest } = options;
  return liveModel(
    { ...rest, cluster, ...(brokers !== undefined && { brokers: brokers.join(',') }) },
    terminal,
  );
};

/** With a tolerance of one's own, and no trigger, a plan is made in any case: that is how plans are compared. */
const bandOf = (options: PlanOptions): Pick<Request, 'tolerance' | 'trigger'> => {
  const tolerance =
    options.tolerance === undefined ? DEFAULT_TOLERANCE : number('--tolerance', options.tolerance, 1);
  if (options.trigger !== undefined) return { tolerance, trigger: number('--trigger', options.trigger) };
  return options.tolerance === undefined ? { tolerance, trigger: DEFAULT_TRIGGER } : { tolerance };
};

const requestOf = (options: PlanOptions): Request => ({
  mode: options.mode ?? 'balance',
  brokers: (options.brokers ?? []).map((id) => brokerId('--brokers', id)),
  ...bandOf(options),
  ...(options.budget !== undefined && { budgetMs: duration(options.budget) }),
  ...(options.steps !== undefined && { steps: Math.max(1, number('--steps', options.steps)) }),
  ...(options.seed !== undefined && { seed: number('--seed', options.seed) }),
  ...(options.leaderWeight !== undefined && {
    leaderWeight: number('--leader-weight', options.leaderWeight),
  }),
  excludedTopics: options.excludeTopic ?? [],
  excludedBrokers: (options.excludeBroker ?? []).map((id) => brokerId('--exclude-broker', id)),
});

const percent = (share: number): string => `${(100 * share).toFixed(2)}%`;

const withinText = ({ directories }: Summary): string[] => {
  if (directories === undefined) return [];
  const { replicas, movedMB, outsideBefore, outsideAfter } = directories;
  return [
    `within     ${replicas} replicas, ${movedMB.toFixed(0)} MB between log directories of their brokers; ${outsideBefore} → ${outsideAfter} directories outside`,
  ];
};

const summaryText = (summary: Summary): string => {
  const outside = RESOURCES.map((r) => `${r} ${summary.outsideBefore[r]} → ${summary.outsideAfter[r]}`);
  const minimum = minimumText(summary, { share: percent, ratio: (ratio) => ratio.toFixed(3) });
  return [
    ...(summary.due
      ? []
      : ['nothing to do: every broker is within the trigger (--trigger 0 plans all the same)']),
    `moves      ${percent(summary.movedShare)} of all data, ${summary.movedMB.toFixed(0)} MB, ${summary.replicaMoves} replicas`,
    `minimum    ${minimum}; from the disk alone ${percent(summary.diskBoundShare)}`,
    ...withinText(summary),
    `leaders    ${summary.leaderChanges} changes, ${summary.reorderings} of them without a copy`,
    `outside    ${outside.join(', ')} (brokers, ±${percent(summary.tolerance)})`,
    `topics     at most ${pile(summary.topicPileBefore)} → ${pile(summary.topicPileAfter)}`,
    ...(summary.crowded > 0 ? [`racks      ${summary.crowded} partitions stay on too few racks`] : []),
    ...(summary.stranded > 0 ? [`left       ${summary.stranded} replicas cannot leave their broker`] : []),
    ...summary.refused.map((r) => `left out   ${r.topic}-${r.partition}: ${r.reason}`),
    ...summary.obstacles.map((o) => `impossible ${o.proof}. ${o.remedy}.`),
    '',
  ].join('\n');
};

const write = (file: string, text: string): void => {
  try {
    writeFileSync(file, text);
  } catch (error) {
    throw new CliError('unreadable-file', `${file} cannot be written: ${(error as Error).message}`);
  }
};

/** The model with the brokers of `--brokers` marked; a mode for which there is nothing to do is refused. */
const withBrokers = (model: ClusterModel, { mode, brokers }: Request, file: string): ClusterModel => {
  let result: ClusterModel;
  try {
    result = marked(model, mode, brokers);
  } catch (error) {
    if (error instanceof ModelError) throw new CliError('usage', `--${error.message}`, { file });
    throw error;
  }
  const lacks = (state: string): boolean => result.brokers.every((broker) => broker.state !== state);
  if (mode === 'add-brokers' && lacks('new'))
    throw new CliError('usage', 'No broker is new: name those to fill with --brokers.', { file });
  const stays = lacks('draining') && result.partitions.every((p) => (p.offline ?? []).length === 0);
  if (mode === 'remove-brokers' && stays)
    throw new CliError('usage', 'No broker is draining: name those to empty with --brokers.', { file });
  return result;
};

const pile = (at: TopicPile | undefined): string =>
  at === undefined
    ? '-'
    : `${at.replicas} of ${at.topic} on broker ${at.broker} (evenly ${at.evenly.toFixed(1)})`;

/** Ctrl-C ends the search, not the program: the best plan so far is kept. A second one ends it all. */
const search = async (model: ClusterModel, request: Request, terminal: Terminal): Promise<Plan> => {
  const seconds = (request.budgetMs ?? defaultBudgetMs(model)) / 1000;
  if (request.steps === undefined)
    terminal.err(`searching for ${seconds} s; Ctrl-C takes the best plan so far\n`);
  const { result, interrupt } = planInWorker(model, request);
  process.once('SIGINT', interrupt);
  try {
    return await result;
  } finally {
    process.removeListener('SIGINT', interrupt);
  }
};

/**
 * `kafka-warden plan`: reads a cluster model and writes a plan in Kafka's reassignment format, to `--output`, or to
 * standard output. Exit code 1 when brokers stay outside the band.
 */
export const planCommand = async (options: PlanOptions, terminal: Terminal): Promise<ExitCode> => {
  const request = requestOf(options);
  const source = options.model ?? `cluster ${options.cluster ?? ''}`;
  const model = withBrokers(await modelOf(options, terminal), request, source);
  const plan = await search(model, request, terminal);
  const { summary } = plan;
  const json = `${JSON.stringify(plan.reassignment)}\n`;
  if (options.output !== undefined) write(options.output, json);
  if (options.html !== undefined) write(options.html, report(model, plan));
  if (options.json) terminal.out(`${JSON.stringify({ schema: 1, summary })}\n`);
  else if (options.output === undefined) {
    terminal.err(summaryText(summary));
    terminal.out(json);
  } else terminal.out(summaryText(summary));
  const outside = RESOURCES.some((r) => summary.outsideAfter[r] > 0);
  if (!summary.due) return exitCodes.ok;
  return outside || summary.stranded > 0 || summary.crowded > 0 ? exitCodes.findings : exitCodes.ok;
};
