import { byAge } from '../../sidecar/rebalance/queue.ts';
import { exitCodes, type ExitCode } from '../errors.ts';
import type { Terminal } from '../output/terminal.ts';
import { listRebalances, placeOf, type PlaceOptions } from '../rebalance/access.ts';
import { rebalanceJson, rebalanceTable } from '../rebalance/text.ts';

export interface RebalanceListOptions extends PlaceOptions {
  readonly allNamespaces?: boolean;
  readonly cluster?: string;
  readonly json?: boolean;
}

/** `kafka-warden rebalance list`: all of a namespace, the oldest first. */
export const rebalanceListCommand = async (
  options: RebalanceListOptions,
  terminal: Terminal,
): Promise<ExitCode> => {
  const { kube, namespace } = await placeOf(options);
  const all = await listRebalances(kube, options.allNamespaces ? undefined : namespace);
  const shown = byAge(
    all.filter(({ spec }) => options.cluster === undefined || spec.cluster === options.cluster),
  );
  if (options.json)
    terminal.out(
      `${JSON.stringify({ apiVersion: 'v1', kind: 'List', items: shown.map(rebalanceJson) }, undefined, 2)}\n`,
    );
  else if (shown.length === 0)
    terminal.err('There is no KafkaRebalance here (-n NAMESPACE or -A looks elsewhere).\n');
  else terminal.out(rebalanceTable(shown, Date.now()));
  return exitCodes.ok;
};
