import { paths } from '../../kubernetes/paths.ts';
import { keys } from '../../names.ts';
import { isTerminal, phaseOf } from '../../sidecar/rebalance/kafka-rebalance.ts';
import { asking } from '../cluster-access.ts';
import { exitCodes, type ExitCode } from '../errors.ts';
import type { Terminal } from '../output/terminal.ts';
import { placeOf, type PlaceOptions, readRebalance } from '../rebalance/access.ts';
import { nextStep } from '../rebalance/text.ts';

/** `kafka-warden rebalance stop`: asks for the end of a rebalance, whatever its phase. */
export const stopCommand = async (
  options: PlaceOptions & { readonly name: string },
  terminal: Terminal,
): Promise<ExitCode> => {
  const place = await placeOf(options);
  const rebalance = await readRebalance(place, options.name);
  const phase = phaseOf(rebalance);
  if (isTerminal(phase)) {
    terminal.err(`KafkaRebalance ${options.name} is ${phase} already.\n`);
    return exitCodes.ok;
  }
  const body = { metadata: { annotations: { [keys.stop]: 'true' } } };
  const path = paths.kafkarebalances(place.namespace, options.name);
  await asking('change KafkaRebalances', () => place.kube.patch(path, body, 'merge'));
  const underWay = phase === 'Executing' || phase === 'Stopping';
  const then = underWay ? 'What is under way is taken back, what has moved stays. ' : 'Nothing was moved.\n';
  terminal.err(
    `KafkaRebalance ${options.name} is asked to stop. ${then}${underWay ? nextStep(rebalance) : ''}`,
  );
  return exitCodes.ok;
};
