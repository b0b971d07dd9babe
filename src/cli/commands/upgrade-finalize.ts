import { paths } from '../../kubernetes/paths.ts';
import { keys } from '../../names.ts';
import { levelOfName, metadataVersionName, parseMetadataVersion } from '../../upgrade/index.ts';
import { oldestLevelOfElr } from '../../upgrade/metadata-versions.ts';
import { asking, clusterAccess } from '../cluster-access.ts';
import { CliError, exitCodes, type ExitCode } from '../errors.ts';
import { agreed } from '../output/agreed.ts';
import type { Terminal } from '../output/terminal.ts';
import { type SeenCluster, readCluster } from '../upgrade/cluster.ts';

export interface UpgradeFinalizeOptions {
  readonly cluster: string;
  readonly metadataVersion?: string;
  readonly eligibleLeaderReplicas?: boolean;
  readonly yes?: boolean;
  readonly namespace?: string;
  readonly kubeconfig?: string;
}

/** The level that is asked for. Throws `CliError` for what is no version, and for one that would go back. */
function levelAskedFor(text: string, now: number | undefined): number {
  const wanted = parseMetadataVersion(text);
  if (wanted === undefined)
    throw new CliError(
      'usage',
      `--metadata-version takes a release such as 4.1, a name such as 4.1-IV1 or a level, not ${text}.`,
    );
  if (now !== undefined && wanted.level < now)
    throw new CliError(
      'refused',
      `metadata.version is ${metadataVersionName(now)}, and does not go back to ${wanted.name}.`,
    );
  return wanted.level;
}

/** The annotations to write. Throws `CliError` for what makes no sense for that cluster. */
function wishes(options: UpgradeFinalizeOptions, { kafkaCluster }: SeenCluster): Record<string, string> {
  const { metadataVersion, eligibleLeaderReplicas = false } = options;
  const { status = {} } = kafkaCluster;
  if (status.mode === 'zookeeper')
    throw new CliError('refused', 'The cluster runs in ZooKeeper mode: there is nothing to finalize in it.');
  const now = levelOfName(status.metadataVersion ?? '');
  const then = metadataVersion === undefined ? now : levelAskedFor(metadataVersion, now);
  const wishes: Record<string, string> = {};
  if (metadataVersion !== undefined) wishes[keys.metadataVersion] = metadataVersion;
  if (!eligibleLeaderReplicas) return wishes;
  if (then !== undefined && then < oldestLevelOfElr)
    throw new CliError(
      'refused',
      `Eligible leader replicas need metadata.version ${metadataVersionName(oldestLevelOfElr)} or later; it is ${metadataVersionName(then)}. Add --metadata-version 4.1.`,
    );
  return { ...wishes, [keys.eligibleLeaderReplicas]: 'true' };
}

/**
 * `kafka-warden upgrade finalize`: asks the sidecar, by annotations on the StatefulSets of the cluster, to finalize
 * metadata.version and to switch on eligible leader replicas. Neither goes back, so a person is asked.
 */
export const upgradeFinalizeCommand = async (
  options: UpgradeFinalizeOptions,
  terminal: Terminal,
): Promise<ExitCode> => {
  const { cluster, metadataVersion, eligibleLeaderReplicas } = options;
  if (metadataVersion === undefined && eligibleLeaderReplicas !== true)
    throw new CliError('usage', 'Say what: --metadata-version RELEASE, --eligible-leader-replicas, or both.');
  const kube = await clusterAccess(options.kubeconfig);
  const namespace = options.namespace ?? kube.namespace ?? 'default';
  const seen = await readCluster(kube, namespace, cluster);
  if (seen.sets.length === 0)
    throw new CliError('not-found', `Cluster ${namespace}/${cluster} has no StatefulSet.`);
  const annotations = wishes(options, seen);
  const asked = Object.entries(annotations).map(([key, value]) => `${key}: ${value}`);
  const names = seen.sets.map(({ name }) => name).join(', ');
  terminal.err(`StatefulSet ${names} (${namespace}): ${asked.join(', ')}\n`);
  const question = 'Once finalized it does not go back, and neither do the images. Go on?';
  if (options.yes !== true && !(await agreed(question, terminal))) {
    if (!process.stdin.isTTY) terminal.err('Nothing was changed; --yes changes it.\n');
    return exitCodes.ok;
  }
  await asking('change StatefulSets', async () => {
    for (const { name } of seen.sets)
      await kube.patch(paths.statefulsets(namespace, name), { metadata: { annotations } }, 'merge');
  });
  terminal.err(
    `The sidecar does it once every node supports it and all replicas are in sync. Watch: kafka-warden status -n ${namespace} --cluster ${cluster}\n`,
  );
  return exitCodes.ok;
};
