import { paths } from '../../kubernetes/paths.ts';
import { approveClusterRole, keys } from '../../names.ts';
import { shortHash } from '../../sidecar/rebalance/canonical.ts';
import { isTerminal, type KafkaRebalance, phaseOf } from '../../sidecar/rebalance/kafka-rebalance.ts';
import { asking } from '../cluster-access.ts';
import { CliError, exitCodes, type ExitCode } from '../errors.ts';
import { agreed } from '../output/agreed.ts';
import type { Terminal } from '../output/terminal.ts';
import { type Place, placeOf, type PlaceOptions, readRebalance } from '../rebalance/access.ts';
import { nextStep, rebalanceText } from '../rebalance/text.ts';

export interface ApproveOptions extends PlaceOptions {
  readonly name: string;
  readonly yes?: boolean;
}

/** The hash to approve; throws `CliError` where there is no plan to approve. */
const hashToApprove = (rebalance: KafkaRebalance): string => {
  const { metadata, status = {} } = rebalance;
  const phase = phaseOf(rebalance);
  if (isTerminal(phase))
    throw new CliError('refused', `KafkaRebalance ${metadata.name} is ${phase}: create another one.`);
  if (status.plan === undefined || phase === 'New' || phase === 'Proposing')
    throw new CliError(
      'refused',
      `KafkaRebalance ${metadata.name} has no plan to approve yet (${status.reason ?? 'New'}: ${status.message ?? 'no sidecar has taken it up'}).`,
    );
  return status.plan.hash;
};

/** Writes the approval of the plan that was shown: another plan that comes meanwhile is not approved by it. */
export const approvePlan = async (
  { kube, namespace }: Place,
  { metadata }: KafkaRebalance,
  hash: string,
): Promise<void> => {
  const body = { metadata: { annotations: { [keys.approve]: hash } } };
  const what = `approve KafkaRebalances (the ClusterRole ${approveClusterRole} gives the right to)`;
  await asking(what, () => kube.patch(paths.kafkarebalances(namespace, metadata.name), body, 'merge'));
};

/** Asks, or needs `--yes` where nobody can be asked. */
export const mayApprove = async (
  { yes, name }: Pick<ApproveOptions, 'yes' | 'name'>,
  terminal: Terminal,
): Promise<boolean> => {
  if (yes) return true;
  if (!process.stdin.isTTY)
    throw new CliError('usage', `Nothing was approved: --yes approves the plan of ${name} as it is shown.`);
  return agreed('Carry out this plan?', terminal);
};

/** `kafka-warden rebalance approve`: shows the plan and approves exactly that one. */
export const approveCommand = async (options: ApproveOptions, terminal: Terminal): Promise<ExitCode> => {
  const place = await placeOf(options);
  const rebalance = await readRebalance(place, options.name);
  const hash = hashToApprove(rebalance);
  terminal.out(rebalanceText(rebalance, terminal));
  if (rebalance.metadata.annotations?.[keys.approve] === hash) {
    terminal.err(`The plan ${shortHash(hash)} is approved already.\n`);
    return exitCodes.ok;
  }
  if (!(await mayApprove(options, terminal))) return exitCodes.ok;
  await approvePlan(place, rebalance, hash);
  terminal.err(
    `The plan ${shortHash(hash)} is approved. ${nextStep({ ...rebalance, status: { phase: 'Approved' } })}`,
  );
  return exitCodes.ok;
};
