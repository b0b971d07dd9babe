import { phaseOf } from '../../sidecar/rebalance/kafka-rebalance.ts';
import { exitCodes, type ExitCode } from '../errors.ts';
import type { Terminal } from '../output/terminal.ts';
import {
  clusterOf,
  createRebalance,
  isPlanned,
  placeOf,
  type PlaceOptions,
  waitFor,
} from '../rebalance/access.ts';
import { durationMs, type LimitOptions, type SearchOptions, specOf } from '../rebalance/spec.ts';
import { nextStep, rebalanceJson, rebalanceText } from '../rebalance/text.ts';

export interface ProposeOptions extends PlaceOptions, LimitOptions, SearchOptions {
  /** False with `--no-wait`. */
  readonly wait?: boolean;
  readonly json?: boolean;
}

/** `kafka-warden rebalance propose`: creates a KafkaRebalance, waits for its plan and shows it. */
export const proposeCommand = async (options: ProposeOptions, terminal: Terminal): Promise<ExitCode> => {
  const timeoutMs = durationMs('--timeout', options.timeout ?? '5m');
  specOf(options.cluster ?? 'any', options);
  const place = await placeOf(options);
  const cluster = await clusterOf(place, options.cluster);
  const spec = specOf(cluster, options);
  const created = await createRebalance(place, { name: options.name, prefix: `${cluster}-`, spec });
  const { name } = created.metadata;
  terminal.err(`KafkaRebalance ${place.namespace}/${name} is created\n`);
  const rebalance =
    options.wait === false ? created : await waitFor(place, name, isPlanned, { timeoutMs, terminal });
  if (options.json) terminal.out(`${JSON.stringify(rebalanceJson(rebalance), undefined, 2)}\n`);
  else if (options.wait === false) terminal.out(`${name}\n`);
  else {
    terminal.out(rebalanceText(rebalance, terminal));
    terminal.err(nextStep(rebalance));
  }
  return phaseOf(rebalance) === 'Failed' ? exitCodes.refused : exitCodes.ok;
};
