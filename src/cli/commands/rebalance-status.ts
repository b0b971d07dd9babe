import { setTimeout as delay } from 'node:timers/promises';
import { isTerminal, type KafkaRebalance, phaseOf } from '../../sidecar/rebalance/kafka-rebalance.ts';
import { byAge } from '../../sidecar/rebalance/queue.ts';
import { CliError, exitCodes, type ExitCode } from '../errors.ts';
import type { Terminal } from '../output/terminal.ts';
import {
  listRebalances,
  type Place,
  placeOf,
  type PlaceOptions,
  readRebalance,
} from '../rebalance/access.ts';
import { nextStep, rebalanceJson, rebalanceText } from '../rebalance/text.ts';

export interface RebalanceStatusOptions extends PlaceOptions {
  readonly name?: string;
  readonly watch?: boolean;
  readonly json?: boolean;
}

const pollMs = 2000;

/** The one that is meant: the only one that has not ended, else the newest. */
const meant = async (place: Place, name: string | undefined): Promise<KafkaRebalance> => {
  if (name !== undefined) return readRebalance(place, name);
  const all = byAge(await listRebalances(place.kube, place.namespace));
  const open = all.filter((one) => !isTerminal(phaseOf(one)));
  if (open.length > 1)
    throw new CliError(
      'usage',
      `Several have not ended: ${open.map(({ metadata }) => metadata.name).join(', ')}. Name one of them.`,
    );
  const found = open[0] ?? all.at(-1);
  if (found === undefined)
    throw new CliError('not-found', `There is no KafkaRebalance in the namespace ${place.namespace}.`);
  return found;
};

/** `12:00:05  Executing  45%, 3m left  12.4 GiB of …`: one line for each change. */
const line = (rebalance: KafkaRebalance, now: Date): string => {
  const { progress, message = '' } = rebalance.status ?? {};
  const eta = progress?.eta === undefined ? '' : `, ${progress.eta} left`;
  const share = progress === undefined ? '' : `  ${progress.summary}${eta}`;
  return `${now.toISOString().slice(11, 19)}  ${phaseOf(rebalance)}${share}  ${message}\n`;
};

/** Follows it until it has ended. */
const follow = async (place: Place, first: KafkaRebalance, terminal: Terminal): Promise<KafkaRebalance> => {
  let rebalance = first;
  let shown = '';
  for (;;) {
    const text = line(rebalance, new Date());
    if (text.slice(8) !== shown) terminal.out(text);
    shown = text.slice(8);
    if (isTerminal(phaseOf(rebalance))) return rebalance;
    await delay(pollMs);
    rebalance = await readRebalance(place, rebalance.metadata.name);
  }
};

/** `kafka-warden rebalance status`: one in full; exit code 1 for one that has failed. */
export const rebalanceStatusCommand = async (
  options: RebalanceStatusOptions,
  terminal: Terminal,
): Promise<ExitCode> => {
  const place = await placeOf(options);
  const first = await meant(place, options.name);
  if (!options.json) terminal.out(rebalanceText(first, terminal));
  const quiet: Terminal = options.json ? { ...terminal, out: () => undefined } : terminal;
  const last = options.watch && !isTerminal(phaseOf(first)) ? await follow(place, first, quiet) : first;
  if (options.json) terminal.out(`${JSON.stringify(rebalanceJson(last), undefined, 2)}\n`);
  else if (last === first) terminal.err(nextStep(last));
  else terminal.out(rebalanceText(last, terminal));
  return phaseOf(last) === 'Failed' ? exitCodes.findings : exitCodes.ok;
};
