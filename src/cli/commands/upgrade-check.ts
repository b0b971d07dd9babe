import { parseImage, versionOf } from '../../hardening/image.ts';
import type { KafkaVersion } from '../../hardening/profiles/profile.ts';
import { sceneOf } from '../../lint/scene.ts';
import type { Broker } from '../../lint/brokers.ts';
import { manifestOfSet, runningOf } from '../../sidecar/features/running.ts';
import { isKnownImage } from '../../upgrade/manifest.ts';
import { type Manifest, type Preflight, preflight } from '../../upgrade/index.ts';
import { namespaceOf } from '../assess.ts';
import { clusterAccess } from '../cluster-access.ts';
import { CliError, exitCodes, type ExitCode } from '../errors.ts';
import { foreignText, readManifests } from '../manifest/manifests.ts';
import { templatesText } from '../manifest/templates.ts';
import { objectsOf } from '../manifest/objects.ts';
import { wrapped } from '../output/table.ts';
import type { Terminal } from '../output/terminal.ts';
import { readCluster } from '../upgrade/cluster.ts';

export interface UpgradeCheckOptions {
  readonly cluster?: string;
  readonly filename?: readonly string[];
  readonly recursive?: boolean;
  readonly namespace?: string;
  readonly to?: string;
  readonly json?: boolean;
  readonly kubeconfig?: string;
}

/** What was found of one StatefulSet. */
interface Checked extends Preflight {
  readonly namespace: string;
  readonly name: string;
}

function wantedOf(text: string | undefined): KafkaVersion | undefined {
  if (text === undefined) return undefined;
  const version = versionOf(text);
  if (version === undefined)
    throw new CliError('usage', `--to takes a version of Kafka such as 4.1, not ${text}.`);
  return version;
}

/** A broker of the input in the form that the check takes, with ConfigMaps of the input seen through. */
function manifestOfBroker(broker: Broker): Manifest {
  const { workload, container, index, configuration, profile, version, role } = broker;
  const image = container.image ?? '';
  const isHidden = role === 'unseen' && profile.zookeeper;
  return {
    name: workload.name,
    container,
    containerIndex: index,
    configuration,
    image,
    profile,
    version,
    isKnownImage: isKnownImage(parseImage(image)),
    mode: isHidden ? undefined : role === 'zookeeper' ? 'zookeeper' : 'kraft',
    findings: [],
  };
}

/** Without a cluster: with `--to`, what is written runs now and is asked about; else what is written is what is wanted. */
function checkFiles(
  options: UpgradeCheckOptions & { filename: readonly string[] },
  terminal: Terminal,
): Checked[] {
  const wanted = wantedOf(options.to);
  const { documents, foreign } = readManifests(options.filename, options);
  terminal.err(foreignText(foreign));
  const objects = documents.flatMap(objectsOf);
  terminal.err(templatesText(objects));
  const subjects = objects.map((object) => ({
    value: object.value,
    namespace: namespaceOf(object, options.namespace),
  }));
  const { brokers } = sceneOf(subjects, new Map());
  if (brokers.length === 0) throw new CliError('no-input', 'Nothing in the input runs Kafka.');
  return brokers.map((broker) => {
    const manifest = manifestOfBroker(broker);
    const versions = wanted === undefined || manifest.version === undefined ? [] : [manifest.version];
    const { name, namespace } = broker.workload;
    return { namespace, name, ...preflight(manifest, { versions }, wanted) };
  });
}

async function checkCluster(options: UpgradeCheckOptions & { cluster: string }): Promise<Checked[]> {
  const wanted = wantedOf(options.to);
  const kube = await clusterAccess(options.kubeconfig);
  const namespace = options.namespace ?? kube.namespace ?? 'default';
  const { sets, pods, kafkaCluster } = await readCluster(kube, namespace, options.cluster);
  return sets.flatMap((set) => {
    const manifest = manifestOfSet(set);
    if (manifest === undefined) return [];
    const running = runningOf(set, manifest, { world: { pods, kafkaCluster }, heard: undefined });
    return [{ namespace, name: set.name, ...preflight(manifest, running, wanted) }];
  });
}

const versionText = (version: KafkaVersion | undefined): string => version?.join('.') ?? 'unknown';

const checkedText = (terminal: Terminal, { namespace, name, from, to, findings }: Checked): string => {
  const title = terminal.paint('out', 'bold', `${namespace}/${name}`);
  const lines = findings.map(({ severity, field, message, remedy }) => {
    const mark = terminal.paint('out', severity === 'problem' ? 'red' : 'yellow', severity);
    return `  ${mark} ${field}\n${wrapped(`${message}. ${remedy}`, '    ')}`;
  });
  const none = lines.length === 0 ? '  nothing is in the way\n' : '';
  return `${title}: Kafka ${versionText(from)} → ${versionText(to)}\n${lines.join('')}${none}`;
};

/**
 * `kafka-warden upgrade check`: what would be in the way of another version of Kafka, of manifests offline or of a running
 * cluster by its status. Exit code 1 where there is a problem. Changes nothing.
 */
export const upgradeCheckCommand = async (
  options: UpgradeCheckOptions,
  terminal: Terminal,
): Promise<ExitCode> => {
  const { cluster, filename = [] } = options;
  if ((cluster === undefined) === (filename.length === 0))
    throw new CliError('usage', 'Name either a cluster or manifests with -f FILE.');
  const checked =
    cluster === undefined
      ? checkFiles({ ...options, filename }, terminal)
      : await checkCluster({ ...options, cluster });
  if (options.json) terminal.out(`${JSON.stringify({ schema: 1, sets: checked }, undefined, 2)}\n`);
  else terminal.out(checked.map((one) => checkedText(terminal, one)).join(''));
  const isBad = checked.some(({ findings }) => findings.some(({ severity }) => severity === 'problem'));
  return isBad ? exitCodes.findings : exitCodes.ok;
};
