import { isStatus } from '../../kubernetes/client.ts';
import { paths } from '../../kubernetes/paths.ts';
import type { Condition } from '../../sidecar/conditions.ts';
import type { ClusterStatus, KafkaCluster } from '../../sidecar/status/kafka-cluster.ts';
import { asking, clusterAccess } from '../cluster-access.ts';
import { CliError, exitCodes, type ExitCode } from '../errors.ts';
import { table } from '../output/table.ts';
import type { Style, Terminal } from '../output/terminal.ts';

export interface StatusOptions {
  readonly namespace?: string;
  readonly allNamespaces?: boolean;
  readonly cluster?: string;
  readonly json?: boolean;
  readonly kubeconfig?: string;
}

const dayMs = 24 * 3_600_000;

/** `2027-03-01 (98 days)`. */
export const until = (time: string, now: number): string => {
  const days = Math.floor((Date.parse(time) - now) / dayMs);
  if (Number.isNaN(days)) return time;
  const rest = days < 0 ? 'expired' : `${days} day${days === 1 ? '' : 's'}`;
  return `${time.slice(0, 10)} (${rest})`;
};

/** Conditions that name a trouble: `False` is the good news. */
const troubles: readonly string[] = ['LostDisk', 'BudgetOverlap'];

/** What is under way is neither good nor bad. */
const neutral: readonly string[] = [
  'Progressing',
  'Farewell',
  'Disrupted',
  'RollWaits',
  'ScalingIn',
  'ScalingOut',
];

const bad = ({ type, status }: Condition): boolean =>
  !neutral.includes(type) && status === (troubles.includes(type) ? 'True' : 'False');

const conditionStyle = (condition: Condition): Style => {
  if (bad(condition)) return 'red';
  const busy = neutral.includes(condition.type) && condition.status === 'True';
  return busy || condition.status === 'Unknown' ? 'yellow' : 'green';
};

const earliest = (times: readonly string[]): string | undefined => [...times].sort()[0];

const readyText = (status: Partial<ClusterStatus>): string =>
  status.conditions?.find(({ type }) => type === 'Ready')?.status ?? 'Unknown';

/** One cluster per row. */
export const overview = (clusters: readonly KafkaCluster[], now: number): string =>
  table([
    ['NAMESPACE', 'CLUSTER', 'READY', 'BROKERS', 'KAFKA', 'BOOTSTRAP', 'CERTIFICATES UNTIL'],
    ...clusters.map(({ metadata, status = {} }) => {
      const end = earliest((status.certificates ?? []).map(({ notAfter }) => notAfter));
      const cells = [status.summary, status.kafkaVersion, status.bootstrap, end && until(end, now)];
      return [
        metadata.namespace ?? '',
        metadata.name ?? '',
        readyText(status),
        ...cells.map((cell) => cell ?? '-'),
      ];
    }),
  ]);

const section = (title: string, rows: readonly (readonly string[])[]): string =>
  rows.length === 0 ? '' : `\n${title}\n${table(rows.map((row) => ['', ...row]))}`;

const facts = (status: Partial<ClusterStatus>): string[][] => {
  const { users, quorum, minInsyncReplicas, underReplicatedPartitions } = status;
  const known: [string, string | number | undefined][] = [
    ['bootstrap', status.bootstrap],
    ['cluster id', status.clusterId],
    ['Kafka', status.kafkaVersion],
    ['metadata version', status.metadataVersion],
    ['min.insync.replicas', minInsyncReplicas],
    ['under-replicated partitions', underReplicatedPartitions],
    ['quorum leader', quorum && `${quorum.leader} of voters ${quorum.voters.join(', ')}`],
    ['users', users && `${users.ready} of ${users.total} ready`],
    ['runs without kafka-warden until', status.farewell?.leavesUntil],
  ];
  return known.flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)]]));
};

const conditionText = (terminal: Terminal, condition: Condition): string => {
  const { type, status, reason, message } = condition;
  const mark = terminal.paint('out', conditionStyle(condition), status.padEnd(8));
  return `  ${mark}${type}${reason ? ` (${reason})` : ''}${message ? `: ${message}` : ''}\n`;
};

/** Everything about one cluster. */
export const details = (cluster: KafkaCluster, terminal: Terminal, now: number): string => {
  const { metadata, status = {} } = cluster;
  const title = terminal.paint('out', 'bold', `${metadata.namespace ?? ''}/${metadata.name ?? ''}`);
  const yes = (value: boolean): string => (value ? 'yes' : 'no');
  const conditions = (status.conditions ?? []).map((condition) => conditionText(terminal, condition));
  return [
    `${title}\n${table(facts(status).map((row) => ['', ...row]))}`,
    section(
      'listeners',
      (status.listeners ?? []).map(({ name, port, protocol, authentication }) => [
        name,
        String(port),
        protocol,
        authentication,
      ]),
    ),
    section('brokers', [
      ...((status.brokers ?? []).length > 0 ? [['ID', 'POD', 'NODE', 'RACK', 'REGISTERED', 'READY']] : []),
      ...(status.brokers ?? []).map(({ id, pod, node, rack, registered, ready }) => [
        String(id),
        pod,
        node ?? '-',
        rack ?? '-',
        yes(registered),
        yes(ready),
      ]),
    ]),
    section(
      'certificates',
      (status.certificates ?? []).map(({ pod, store, notAfter }) => [pod, store, until(notAfter, now)]),
    ),
    section(
      'authorities',
      (status.authorities ?? []).map(({ name, notAfter }) => [name, until(notAfter, now)]),
    ),
    conditions.length > 0 ? `\nconditions\n${conditions.join('')}` : '',
  ].join('');
};

const notInstalled = new CliError(
  'not-installed',
  'The API server knows no KafkaCluster: kafka-warden is not installed in this cluster (install its Helm chart).',
);

const clustersIn = async ({
  namespace,
  cluster,
  kubeconfig,
  allNamespaces,
}: StatusOptions): Promise<KafkaCluster[]> => {
  const kube = await clusterAccess(kubeconfig);
  const where = allNamespaces ? undefined : (namespace ?? kube.namespace ?? 'default');
  const all = await asking('list KafkaCluster objects', async () => {
    try {
      return await kube.list<KafkaCluster>(paths.kafkaclusters(where));
    } catch (error) {
      throw isStatus(error, 404) ? notInstalled : error;
    }
  });
  const scope = where === undefined ? 'any namespace' : `the namespace ${where}`;
  const found = all.filter(({ metadata }) => cluster === undefined || metadata.name === cluster);
  if (found.length === 0 && cluster !== undefined)
    throw new CliError(
      'not-found',
      `There is no cluster ${cluster} in ${scope}. Known: ${all.map(({ metadata }) => metadata.name).join(', ') || 'none'}.`,
    );
  return found;
};

/** `kafka-warden status`: what the sidecars say of their clusters; one cluster in full, several as a table. */
export const statusCommand = async (options: StatusOptions, terminal: Terminal): Promise<ExitCode> => {
  const clusters = await clustersIn(options);
  if (options.json) {
    for (const { metadata } of clusters) delete (metadata as { managedFields?: unknown }).managedFields;
    const printed =
      options.cluster === undefined ? { apiVersion: 'v1', kind: 'List', items: clusters } : clusters[0];
    terminal.out(`${JSON.stringify(printed, undefined, 2)}\n`);
    return exitCodes.ok;
  }
  const [only] = clusters;
  if (only === undefined)
    terminal.err(
      'No Kafka cluster is in the care of kafka-warden here (-n NAMESPACE or -A looks elsewhere).\n',
    );
  else if (clusters.length === 1) terminal.out(details(only, terminal, Date.now()));
  else terminal.out(overview(clusters, Date.now()));
  return exitCodes.ok;
};
