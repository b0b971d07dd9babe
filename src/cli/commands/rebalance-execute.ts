import { readFileSync } from 'node:fs';
import { randomUUID } from 'node:crypto';
import type { Reassignment } from '../../balance/index.ts';
import { isStatus } from '../../kubernetes/client.ts';
import { paths } from '../../kubernetes/paths.ts';
import { keys, managedBy } from '../../names.ts';
import { shortHash } from '../../sidecar/rebalance/canonical.ts';
import { GivenPlanError, givenPlanData, parseReassignment } from '../../sidecar/rebalance/given-plan.ts';
import { type KafkaRebalance, phaseOf } from '../../sidecar/rebalance/kafka-rebalance.ts';
import { asking } from '../cluster-access.ts';
import { CliError, exitCodes, type ExitCode } from '../errors.ts';
import type { Terminal } from '../output/terminal.ts';
import {
  clusterOf,
  createRebalance,
  isPlanned,
  type Place,
  placeOf,
  type PlaceOptions,
  waitFor,
} from '../rebalance/access.ts';
import { durationMs, type LimitOptions, limitsSpec } from '../rebalance/spec.ts';
import { nextStep, rebalanceJson, rebalanceText } from '../rebalance/text.ts';
import { approvePlan, mayApprove } from './rebalance-approve.ts';

export interface ExecuteOptions extends PlaceOptions, LimitOptions {
  readonly filename: string;
  readonly approve?: boolean;
  readonly yes?: boolean;
  readonly json?: boolean;
}

const read = (file: string): Reassignment => {
  let text: string;
  try {
    text = readFileSync(file === '-' ? 0 : file, 'utf8');
  } catch (error) {
    throw new CliError('unreadable-file', `${file}: ${(error as Error).message}`);
  }
  try {
    return parseReassignment(text);
  } catch (error) {
    if (error instanceof GivenPlanError) throw new CliError('invalid-object', error.message, { file });
    throw error;
  }
};

const dataOf = (plan: Reassignment, file: string) => {
  try {
    return givenPlanData(plan);
  } catch (error) {
    if (error instanceof GivenPlanError) throw new CliError('invalid-object', error.message, { file });
    throw error;
  }
};

/** The ConfigMap stands before the KafkaRebalance that names it, and then becomes its own, to go with it. */
async function createPlan(
  place: Place,
  { name, cluster }: { name: string; cluster: string },
  data: object,
): Promise<{ name: string; adopt: (owner: KafkaRebalance) => Promise<void>; remove: () => Promise<void> }> {
  const { kube, namespace } = place;
  const configMap = `${name}-given`;
  const path = paths.configmaps(namespace, configMap);
  const labels = { ...managedBy, [keys.cluster]: cluster };
  const body = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: configMap, namespace, labels },
    ...data,
  };
  await asking('create ConfigMaps', async () => {
    try {
      await kube.create(paths.configmaps(namespace), body);
    } catch (error) {
      if (!isStatus(error, 409)) throw error;
      throw new CliError('usage', `The ConfigMap ${configMap} is there already; give another --name.`);
    }
  });
  return {
    name: configMap,
    adopt: async ({ apiVersion, kind, metadata }) => {
      const owner = { apiVersion, kind, name: metadata.name, uid: metadata.uid };
      await asking('change ConfigMaps', () =>
        kube.patch(path, { metadata: { ownerReferences: [owner] } }, 'merge'),
      );
    },
    remove: () => asking('delete ConfigMaps', () => kube.remove(path)),
  };
}

/**
 * `kafka-warden rebalance execute`: has a plan in Kafka's reassignment format checked against the cluster and shown.
 * With `--approve` it is approved then; the hash that is approved is that of the plan shown.
 */
export const executeCommand = async (options: ExecuteOptions, terminal: Terminal): Promise<ExitCode> => {
  const plan = read(options.filename);
  const data = dataOf(plan, options.filename);
  const timeoutMs = durationMs('--timeout', options.timeout ?? '5m');
  const limits = limitsSpec(options);
  const place = await placeOf(options);
  const cluster = await clusterOf(place, options.cluster);
  const name = options.name ?? `${cluster}-plan-${randomUUID().slice(0, 5)}`;
  const stored = await createPlan(place, { name, cluster }, data);
  const spec = { cluster, ...limits, plan: { configMap: stored.name } };
  const created = await createRebalance(place, { name, prefix: name, spec }).catch(async (error: unknown) => {
    await stored.remove();
    throw error;
  });
  await stored.adopt(created);
  terminal.err(
    `KafkaRebalance ${place.namespace}/${name} is created, for ${plan.partitions.length} partitions\n`,
  );
  const rebalance = await waitFor(place, name, isPlanned, { timeoutMs, terminal });
  if (!options.json) terminal.out(rebalanceText(rebalance, terminal));
  const hash = rebalance.status?.plan?.hash;
  const open = phaseOf(rebalance) === 'Proposed' && hash !== undefined;
  const approved = open && options.approve === true && (await mayApprove({ ...options, name }, terminal));
  if (approved) {
    await approvePlan(place, rebalance, hash);
    terminal.err(
      `The plan ${shortHash(hash)} is approved. ${nextStep({ ...rebalance, status: { phase: 'Approved' } })}`,
    );
  } else terminal.err(nextStep(rebalance));
  if (options.json) terminal.out(`${JSON.stringify(rebalanceJson(rebalance), undefined, 2)}\n`);
  return phaseOf(rebalance) === 'Failed' ? exitCodes.refused : exitCodes.ok;
};
