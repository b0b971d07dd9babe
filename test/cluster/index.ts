import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { bringUp, takeDown } from './bring-up.ts';
import { build, buildLoadable } from './build.ts';
import type { Cluster } from './cluster.ts';
import { ClusterError } from './errors.ts';
import { externalCluster } from './external.ts';
import { findLayout, maxNodes, runRoot } from './layout.ts';
import { localCluster } from './local.ts';
import { ancestorsOf } from './processes.ts';
import { isLeftBehind, isStarting, ownProcess, readState } from './state.ts';

export type { Cluster, CommandOptions, ContainerProcess, LogOptions } from './cluster.ts';
export { ClusterError, isUnavailable } from './errors.ts';
export { localClass, networkClass } from './storage.ts';
export { emulated, images, kafkaVersions, kubernetesVersion } from './versions.ts';
export type { KafkaLine } from './versions.ts';

/** Another name lets several checkouts test side by side. */
export const defaultName = process.env['KAFKA_WARDEN_TEST_CLUSTER'] ?? 'kafka-warden';

export interface StartOptions {
  /** 1…6; 3 by default. */
  nodes?: number;
  /** Clusters of different names run side by side. */
  name?: string;
  /** Leave the cluster up when this process ends, as the command `up` does. */
  standing?: boolean;
}

/** Why no cluster can be had here, for a test to be skipped with that reason; nothing where one can. */
export function clusterUnavailable(): string | undefined {
  if (usesExternalCluster()) return undefined;
  if (process.platform !== 'linux')
    return 'the test cluster needs Linux (or KUBECONFIG naming a cluster that has the images)';
  if (process.getuid?.() !== 0)
    return 'the test cluster needs root (or KUBECONFIG naming a cluster that has the images)';
  if (!existsSync('/usr/bin/apt-get'))
    return 'the test cluster installs Debian packages, and this is not Debian';
  if (!existsSync('/dev/loop-control')) return 'the test cluster needs loop devices';
  return undefined;
}

/** Whether KUBECONFIG names a cluster that is none of this harness's own. */
function usesExternalCluster(): boolean {
  const named = process.env['KUBECONFIG'] ?? '';
  return named !== '' && !named.startsWith(`${runRoot()}/`);
}

/**
 * A cluster for tests: the one named by KUBECONFIG, else one of this machine. One that stands already (command `up`) gets
 * this checkout's image, is used and left standing; so is one of a process that started this one. What a killed
 * process left is removed first; else a new cluster is started, which ends with this process or its disposal.
 * Throws `IN_USE` where another living process owns the cluster of that name.
 */
export async function startCluster({
  nodes = 3,
  name = defaultName,
  standing = false,
}: StartOptions = {}): Promise<Cluster> {
  if (usesExternalCluster()) return externalCluster(process.env['KUBECONFIG'] ?? '');
  const running = await adopt(name);
  if (running !== undefined) return running;
  const startedAt = performance.now();
  const artefacts = await build();
  const builtAt = performance.now();
  const uninstall = standing ? () => undefined : endWithProcess(name);
  const owner = standing ? {} : { owner: ownProcess() };
  const count = Math.min(Math.max(nodes, 1), maxNodes);
  const layout = await bringUp(name, count, { ...owner, artefacts }).catch((error: unknown) => {
    uninstall();
    throw error;
  });
  const seconds = (from: number, to: number) => ((to - from) / 1000).toFixed(1);
  process.stderr.write(
    `cluster ${name}: artefacts in ${seconds(startedAt, builtAt)} s, ${count} nodes Ready ${seconds(builtAt, performance.now())} s later\n`,
  );
  const cluster = await localCluster(layout, !standing);
  return {
    ...cluster,
    async [Symbol.asyncDispose]() {
      await cluster[Symbol.asyncDispose]();
      uninstall();
    },
  };
}

/** The running cluster of a name, without starting one. Throws `NOT_RUNNING` where there is none. */
export async function runningCluster(name = defaultName): Promise<Cluster> {
  const layout = await findLayout(name);
  if (layout === undefined) {
    throw new ClusterError(
      'NOT_RUNNING',
      `The cluster ${name} is not running: start it with "npm run cluster -- up".`,
    );
  }
  return localCluster(layout, false);
}

/** Ends a cluster and removes what is left of it; nothing happens where nothing is. */
export async function stopCluster(name = defaultName): Promise<void> {
  const layout = await findLayout(name);
  if (layout !== undefined) await takeDown(layout);
}

async function adopt(name: string): Promise<Cluster | undefined> {
  const layout = await findLayout(name);
  if (layout === undefined) return undefined;
  while (await isStarting(layout)) await sleep(500);
  const state = await readState(layout);
  if (state === undefined || isLeftBehind(layout, state)) return undefined;
  if (state.owner === undefined) {
    const cluster = await localCluster(layout, false);
    const { wardenArchives, emulationArchives } = state.artefacts;
    if (!isDeepStrictEqual(await buildLoadable(), { emulationArchives, wardenArchives }))
      await cluster.loadImage();
    return cluster;
  }
  if (ancestorsOf(process.pid).includes(state.owner.pid)) return localCluster(layout, false);
  throw new ClusterError(
    'IN_USE',
    `The cluster ${name} belongs to process ${state.owner.pid}: wait for its end, or start one of another name.`,
  );
}

/** Takes the cluster down when this process is told to end. Returns how to take that back. */
function endWithProcess(name: string): () => void {
  const signals = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;
  const handlers = Object.entries(signals).map(([received, code]) => {
    const handler = () => {
      // A start that is under way fails on what is gone; the second round removes what it made meanwhile.
      void stopCluster(name)
        .then(() => sleep(1_000))
        .then(() => stopCluster(name))
        .finally(() => process.exit(code));
    };
    process.once(received, handler);
    return () => process.off(received, handler);
  });
  return () => {
    for (const remove of handlers) remove();
  };
}
