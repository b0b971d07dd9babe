import type { Mode, Request } from '../../balance/index.ts';
import { bytesOf } from './amounts.ts';
import { hashOf } from './canonical.ts';
import type { AutoApproveSpec, Quantity, RebalanceSpec, WindowSpec } from './kafka-rebalance.ts';
import { isTimeZone } from './windows.ts';

/** How a plan is carried out. Part of what is approved: it stands in the stored plan. */
export interface ExecutionSettings {
  /** Per broker; without any of the three the executor chooses its own limits. */
  readonly throttle: {
    readonly bytesPerSecond?: number;
    readonly floorBytesPerSecond?: number;
    readonly ceilingBytesPerSecond?: number;
  };
  readonly movesPerBroker?: number;
  readonly batchBytes?: number;
  /** Share of each disk that stays free, 0.1 for 10%. */
  readonly diskReserve?: number;
}

export interface Limits {
  readonly maxBytes: number;
  readonly windows: readonly WindowSpec[];
}

/** A spec as the program uses it. */
export interface Settings {
  readonly mode: Mode | 'given';
  /** Brokers to fill or to empty, by mode. */
  readonly brokers: readonly number[];
  /** For the planner; of no use in the mode `given`. */
  readonly request: Request;
  readonly readRates: boolean;
  readonly networkBytesPerSecond?: number;
  readonly execution: ExecutionSettings;
  readonly autoApprove?: Limits;
  /** The ConfigMap with a plan from elsewhere. */
  readonly configMap?: string;
}

/** What is wrong with a spec: the field and what to do, in one sentence. */
export interface SpecProblem {
  readonly field: string;
  readonly message: string;
}

/** Thrown within this file only. */
class Invalid extends Error {
  readonly field: string;

  constructor(field: string, message: string) {
    super(`${field}: ${message}`);
    this.field = field;
  }
}

function bytes(field: string, quantity: Quantity): number {
  const value = bytesOf(quantity);
  if (value === undefined)
    throw new Invalid(field, `${quantity} is no amount above 0; write 500, 20M or 1.5Gi`);
  return value;
}

function number(field: string, text: string, [least, most]: readonly [number, number]): number {
  const value = Number(text);
  if (text.trim() === '' || !(value >= least && value <= most))
    throw new Invalid(
      field,
      `${text} is not a number from ${least} to ${most}; write it as "0.08" is written`,
    );
  return value;
}

function throttleOf({ bytesPerSecond, floor, ceiling }: NonNullable<RebalanceSpec['throttle']>) {
  if (bytesPerSecond !== undefined && (floor ?? ceiling) !== undefined)
    throw new Invalid('spec.throttle', 'bytesPerSecond is a fixed rate; remove it, or floor and ceiling');
  const throttle = {
    ...(bytesPerSecond !== undefined && {
      bytesPerSecond: bytes('spec.throttle.bytesPerSecond', bytesPerSecond),
    }),
    ...(floor !== undefined && { floorBytesPerSecond: bytes('spec.throttle.floor', floor) }),
    ...(ceiling !== undefined && { ceilingBytesPerSecond: bytes('spec.throttle.ceiling', ceiling) }),
  };
  if ((throttle.floorBytesPerSecond ?? 0) > (throttle.ceilingBytesPerSecond ?? Infinity))
    throw new Invalid('spec.throttle.floor', `${floor} is above the ceiling ${ceiling}; lower it`);
  return throttle;
}

function executionOf({ throttle = {}, concurrency = {}, diskReserve }: RebalanceSpec): ExecutionSettings {
  const { movesPerBroker, batchBytes } = concurrency;
  return {
    throttle: throttleOf(throttle),
    ...(movesPerBroker !== undefined && { movesPerBroker }),
    ...(batchBytes !== undefined && { batchBytes: bytes('spec.concurrency.batchBytes', batchBytes) }),
    ...(diskReserve !== undefined && { diskReserve: diskReserve / 100 }),
  };
}

function limitsOf({ maxBytes, windows = [] }: AutoApproveSpec): Limits {
  windows.forEach(({ timeZone = 'UTC' }, i) => {
    if (!isTimeZone(timeZone))
      throw new Invalid(
        `spec.autoApprove.windows[${i}].timeZone`,
        `${timeZone} is no time zone; give an IANA name such as Europe/Berlin`,
      );
  });
  return { maxBytes: bytes('spec.autoApprove.maxBytes', maxBytes), windows };
}

function modeOf({ mode, brokers = [], plan, autoApprove }: RebalanceSpec): Mode | 'given' {
  if (plan === undefined) {
    if ((mode === 'add-brokers' || mode === 'remove-brokers') && brokers.length === 0)
      throw new Invalid(
        'spec.brokers',
        `is empty; name the brokers to ${mode === 'add-brokers' ? 'fill' : 'empty'}`,
      );
    return mode ?? 'balance';
  }
  if (autoApprove !== undefined)
    throw new Invalid(
      'spec.autoApprove',
      'a plan from a ConfigMap is never approved automatically; remove it',
    );
  return 'given';
}

function requestOf(spec: RebalanceSpec, mode: Mode | 'given'): Request {
  const tolerance = number('spec.tolerance', spec.tolerance ?? '0.08', [0.01, 0.9999]);
  const trigger = number('spec.trigger', spec.trigger ?? '0.15', [0.01, 0.9999]);
  if (trigger < tolerance)
    throw new Invalid('spec.trigger', `${trigger} is below the tolerance ${tolerance}; raise it`);
  return {
    mode: mode === 'given' ? 'balance' : mode,
    tolerance,
    trigger,
    excludedTopics: spec.excludedTopics ?? [],
    excludedBrokers: spec.excludedBrokers ?? [],
    ...(spec.searchSeconds !== undefined && { budgetMs: 1000 * spec.searchSeconds }),
    ...(spec.leaderWeight !== undefined && {
      leaderWeight: number('spec.leaderWeight', spec.leaderWeight, [0, 1000]),
    }),
  };
}

/** Reads a spec, which the API server has checked as far as its schema can. */
export function readSettings(spec: RebalanceSpec): { settings: Settings } | { problem: SpecProblem } {
  try {
    const mode = modeOf(spec);
    const network = spec.capacity?.networkBytesPerSecond;
    const settings: Settings = {
      mode,
      brokers: spec.brokers ?? [],
      request: requestOf(spec, mode),
      readRates: spec.readRates ?? false,
      execution: executionOf(spec),
      ...(network !== undefined && {
        networkBytesPerSecond: bytes('spec.capacity.networkBytesPerSecond', network),
      }),
      ...(spec.autoApprove !== undefined && { autoApprove: limitsOf(spec.autoApprove) }),
      ...(spec.plan !== undefined && { configMap: spec.plan.configMap }),
    };
    return { settings };
  } catch (error) {
    if (error instanceof Invalid) return { problem: { field: error.field, message: error.message } };
    throw error;
  }
}

/** Digest of the part of a spec that a plan depends on: all but who may approve it. */
export function settingsKey({ autoApprove: _autoApprove, ...rest }: RebalanceSpec): string {
  return hashOf(rest).slice(0, 16);
}
