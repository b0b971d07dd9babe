import { setTimeout as delay } from 'node:timers/promises';
import { isStatus, type Kube } from '../../kubernetes/client.ts';
import type { KubeObject } from '../../kubernetes/object.ts';
import { paths } from '../../kubernetes/paths.ts';
import { apiVersion } from '../../names.ts';
import {
  isTerminal,
  type KafkaRebalance,
  phaseOf,
  type RebalanceSpec,
} from '../../sidecar/rebalance/kafka-rebalance.ts';
import { asking, clusterAccess } from '../cluster-access.ts';
import { CliError } from '../errors.ts';
import type { Terminal } from '../output/terminal.ts';

/** Where the rebalances of a command are. */
export interface PlaceOptions {
  readonly namespace?: string;
  readonly kubeconfig?: string;
}

export interface Place {
  readonly kube: Kube;
  readonly namespace: string;
}

export const placeOf = async ({ namespace, kubeconfig }: PlaceOptions): Promise<Place> => {
  const kube = await clusterAccess(kubeconfig);
  return { kube, namespace: namespace ?? kube.namespace ?? 'default' };
};

const notInstalled = (): CliError =>
  new CliError(
    'not-installed',
    'The API server knows no KafkaRebalance: kafka-warden is not installed in this cluster, or is too old (install its Helm chart).',
  );

/** All of a namespace, or of all without one. */
export const listRebalances = (kube: Kube, namespace?: string): Promise<KafkaRebalance[]> =>
  asking('list KafkaRebalances', async () => {
    try {
      return await kube.list<KafkaRebalance>(paths.kafkarebalances(namespace));
    } catch (error) {
      throw isStatus(error, 404) ? notInstalled() : error;
    }
  });

export const readRebalance = (place: Place, name: string): Promise<KafkaRebalance> =>
  asking('read KafkaRebalances', async () => {
    const found = await place.kube.tryGet<KafkaRebalance>(paths.kafkarebalances(place.namespace, name));
    if (found !== undefined) return found;
    const known = (await listRebalances(place.kube, place.namespace)).map(({ metadata }) => metadata.name);
    throw new CliError(
      'not-found',
      `There is no KafkaRebalance ${name} in the namespace ${place.namespace}. Known: ${known.join(', ') || 'none'}.`,
    );
  });

/** The cluster that is meant: the one that is named, else the only one of the namespace. */
export const clusterOf = async ({ kube, namespace }: Place, given: string | undefined): Promise<string> => {
  const clusters = await asking('list KafkaCluster objects', async () => {
    try {
      return await kube.list<KubeObject>(paths.kafkaclusters(namespace));
    } catch (error) {
      throw isStatus(error, 404) ? notInstalled() : error;
    }
  });
  const names = clusters.map(({ metadata }) => metadata?.name ?? '');
  const [only, ...more] = names;
  if (given === undefined && only !== undefined && more.length === 0) return only;
  if (given !== undefined && names.includes(given)) return given;
  const known = `Known: ${names.join(', ') || 'none'}.`;
  throw given === undefined
    ? new CliError('usage', `Name the cluster with --cluster. ${known}`)
    : new CliError('not-found', `There is no cluster ${given} in the namespace ${namespace}. ${known}`);
};

const conflict = (error: unknown): unknown => {
  if (isStatus(error, 409))
    return new CliError('usage', 'A KafkaRebalance of that name is there already; give another --name.');
  return isStatus(error, 400, 422)
    ? new CliError('refused', `The API server refuses it: ${error.message}.`)
    : error;
};

/** Creates one; without a name the API server makes one. */
export const createRebalance = (
  { kube, namespace }: Place,
  { name, prefix, spec }: { name?: string | undefined; prefix: string; spec: RebalanceSpec },
): Promise<KafkaRebalance> =>
  asking('create KafkaRebalances', async () => {
    const metadata = name === undefined ? { generateName: prefix, namespace } : { name, namespace };
    const body = { apiVersion, kind: 'KafkaRebalance', metadata, spec };
    try {
      return await kube.create<KafkaRebalance>(paths.kafkarebalances(namespace), body);
    } catch (error) {
      throw isStatus(error, 404) ? notInstalled() : conflict(error);
    }
  });

export interface Wait {
  readonly timeoutMs: number;
  readonly pollMs?: number;
  readonly signal?: AbortSignal;
}

/** Whether the search for a plan has come to something. */
export const isPlanned = (rebalance: KafkaRebalance): boolean =>
  isTerminal(phaseOf(rebalance)) || (phaseOf(rebalance) !== 'New' && phaseOf(rebalance) !== 'Proposing');

const untouchedMs = 15_000;

/** What to say of it while it is waited for; changes are said once. */
function waitingText({ spec, status }: KafkaRebalance, waitedMs: number): string | undefined {
  if (status?.phase !== undefined) return `${status.phase}: ${status.message ?? ''}`;
  return waitedMs < untouchedMs
    ? undefined
    : `no sidecar has taken it up yet; kafka-warden status --cluster ${spec.cluster} shows whether the cluster has one`;
}

/**
 * Reads the object again and again until it is as wanted, and says on standard error what it waits for.
 * @throws CliError `refused` for a spec that the sidecar cannot use, `not-in-time` when the time is over
 */
export const waitFor = async (
  place: Place,
  name: string,
  wanted: (rebalance: KafkaRebalance) => boolean,
  { timeoutMs, pollMs = 1000, signal, terminal }: Wait & { readonly terminal: Terminal },
): Promise<KafkaRebalance> => {
  const startedAtMs = performance.now();
  let said: string | undefined;
  for (;;) {
    const rebalance = await readRebalance(place, name);
    if (wanted(rebalance)) return rebalance;
    const { reason, message = '' } = rebalance.status ?? {};
    if (reason === 'InvalidSpec') throw new CliError('refused', `KafkaRebalance ${name}: ${message}`);
    const waitedMs = performance.now() - startedAtMs;
    const text = waitingText(rebalance, waitedMs);
    if (text !== undefined && text !== said) terminal.err(`${text}\n`);
    said = text;
    if (waitedMs > timeoutMs || signal?.aborted)
      throw new CliError(
        'not-in-time',
        `KafkaRebalance ${name} has no plan yet (${text ?? 'nothing is said of it'}). kafka-warden rebalance status ${name} shows it later.`,
      );
    await delay(pollMs, undefined, signal === undefined ? {} : { signal }).catch(() => undefined);
  }
};
