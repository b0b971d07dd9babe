import { writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import type { ClusterModel, Mode } from '../../balance/index.ts';
import { paths } from '../../kubernetes/paths.ts';
import type { KafkaRebalance } from '../../sidecar/rebalance/kafka-rebalance.ts';
import { readModel } from '../../sidecar/rebalance/plan-store.ts';
import { StoredPlanError } from '../../sidecar/rebalance/plan-chunks.ts';
import { asking } from '../cluster-access.ts';
import { CliError } from '../errors.ts';
import type { Terminal } from '../output/terminal.ts';
import { clusterOf, createRebalance, isPlanned, placeOf, type PlaceOptions, waitFor } from './access.ts';
import { durationMs, specOf } from './spec.ts';

export interface LiveModelOptions extends PlaceOptions {
  readonly cluster: string;
  /** Which brokers are to be filled or emptied stands in the model. */
  readonly mode?: Mode;
  readonly brokers?: string;
  readonly timeout?: string;
  /** Where to write the model, gzipped where the name ends in `.gz`. */
  readonly saveModel?: string;
}

const save = (file: string, model: ClusterModel): void => {
  const text = `${JSON.stringify(model)}\n`;
  try {
    writeFileSync(file, file.endsWith('.gz') ? gzipSync(text) : text);
  } catch (error) {
    throw new CliError('unreadable-file', `${file} cannot be written: ${(error as Error).message}`);
  }
};

/** A plan with a model stored beside it; one that could not be made has none. */
const hasModel = (rebalance: KafkaRebalance): boolean =>
  isPlanned(rebalance) && rebalance.status?.plan?.model !== undefined;

/**
 * The model of a running cluster, as its sidecar measures it: a proposal is created, which nothing carries out without
 * an approval, the model stored with it is read, and the proposal is deleted.
 */
export const liveModel = async (options: LiveModelOptions, terminal: Terminal): Promise<ClusterModel> => {
  const timeoutMs = durationMs('--timeout', options.timeout ?? '5m');
  const { mode, brokers } = options;
  const asked = {
    search: '1',
    ...(mode !== undefined && { mode }),
    ...(brokers !== undefined && { brokers }),
  };
  specOf(options.cluster, asked);
  const place = await placeOf(options);
  const cluster = await clusterOf(place, options.cluster);
  const created = await createRebalance(place, { prefix: `${cluster}-model-`, spec: specOf(cluster, asked) });
  const { name } = created.metadata;
  const interrupted = new AbortController();
  const interrupt = () => interrupted.abort();
  process.once('SIGINT', interrupt);
  try {
    const wait = { timeoutMs, terminal, signal: interrupted.signal };
    const rebalance = await waitFor(place, name, hasModel, wait);
    const model = await asking('read ConfigMaps', () => readModel(place.kube, rebalance)).catch(
      (error: unknown) => {
        throw error instanceof StoredPlanError
          ? new CliError('not-found', `The model cannot be read: ${error.message}. Try again.`)
          : error;
      },
    );
    if (options.saveModel !== undefined) save(options.saveModel, model);
    return model;
  } finally {
    process.removeListener('SIGINT', interrupt);
    await asking('delete KafkaRebalances', () =>
      place.kube.remove(paths.kafkarebalances(place.namespace, name)),
    );
  }
};
