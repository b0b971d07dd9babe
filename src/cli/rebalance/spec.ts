import type { Mode } from '../../balance/index.ts';
import { bytesOf } from '../../sidecar/rebalance/amounts.ts';
import type { RebalanceSpec } from '../../sidecar/rebalance/kafka-rebalance.ts';
import { readSettings } from '../../sidecar/rebalance/settings.ts';
import { CliError } from '../errors.ts';

/** What may be asked of any plan. */
export interface LimitOptions {
  readonly cluster?: string;
  readonly name?: string;
  readonly throttle?: string;
  readonly movesPerBroker?: string;
  readonly batch?: string;
  readonly diskReserve?: string;
  readonly timeout?: string;
}

/** What may be asked of a plan that is made here. */
export interface SearchOptions {
  readonly mode?: Mode;
  readonly brokers?: string;
  readonly tolerance?: string;
  readonly trigger?: string;
  readonly excludeTopic?: readonly string[];
  readonly excludeBroker?: readonly string[];
  readonly search?: string;
  readonly leaderWeight?: string;
  readonly readRates?: boolean;
}

/** A whole number from 0 on. */
const whole = (option: string, text: string): number => {
  if (!/^\d{1,9}$/.test(text.trim()))
    throw new CliError('usage', `${option} ${text} is not a number. Give an integer from 0 on.`);
  return Number(text);
};

const amount = (option: string, text: string): string => {
  if (bytesOf(text) === undefined)
    throw new CliError('usage', `${option} ${text} is no amount. Write 500, 20M or 1.5Gi.`);
  return text;
};

/** `4,5` as node ids. */
export const brokerIds = (option: string, text: string): number[] =>
  text.split(',').map((id) => whole(option, id));

/** `90s`, `5m` or `1h` in milliseconds. */
export const durationMs = (option: string, text: string): number => {
  const [, value, unit] = /^(\d+)(s|m|h)$/.exec(text) ?? [];
  const factor = unit === 's' ? 1000 : unit === 'm' ? 60_000 : 3_600_000;
  if (value === undefined)
    throw new CliError('usage', `${option} ${text} is not a duration. Write 90s, 5m or 1h.`);
  return Number(value) * factor;
};

/** How a plan is to be carried out, as a spec says it. */
export const limitsSpec = (options: LimitOptions): Omit<RebalanceSpec, 'cluster'> => {
  const { throttle, movesPerBroker, batch, diskReserve } = options;
  const concurrency = {
    ...(movesPerBroker !== undefined && { movesPerBroker: whole('--moves-per-broker', movesPerBroker) }),
    ...(batch !== undefined && { batchBytes: amount('--batch', batch) }),
  };
  return {
    ...(throttle !== undefined && { throttle: { bytesPerSecond: amount('--throttle', throttle) } }),
    ...(Object.keys(concurrency).length > 0 && { concurrency }),
    ...(diskReserve !== undefined && { diskReserve: whole('--disk-reserve', diskReserve) }),
  };
};

/** The spec that these options ask for. Throws `CliError` `usage` for what the sidecar would refuse. */
export const specOf = (cluster: string, options: LimitOptions & SearchOptions): RebalanceSpec => {
  const { mode, brokers, tolerance, trigger, search, leaderWeight } = options;
  const spec: RebalanceSpec = {
    cluster,
    ...limitsSpec(options),
    ...(mode !== undefined && { mode }),
    ...(brokers !== undefined && { brokers: brokerIds('--brokers', brokers) }),
    ...(tolerance !== undefined && { tolerance }),
    ...(trigger !== undefined && { trigger }),
    ...(options.excludeTopic !== undefined && { excludedTopics: options.excludeTopic }),
    ...(options.excludeBroker !== undefined && {
      excludedBrokers: options.excludeBroker.flatMap((ids) => brokerIds('--exclude-broker', ids)),
    }),
    ...(search !== undefined && { searchSeconds: whole('--search', search) }),
    ...(leaderWeight !== undefined && { leaderWeight }),
    ...(options.readRates && { readRates: true }),
  };
  const read = readSettings(spec);
  if ('problem' in read) throw new CliError('usage', `${read.problem.message}.`);
  return spec;
};
