import type { V1PodDisruptionBudget } from '@kubernetes/client-node';
import { z } from 'zod';
import { isStatus, type Kube } from '../../kubernetes/client.ts';
import { paths } from '../../kubernetes/paths.ts';
import { objectsOf } from '../../names.ts';
import type { Condition } from '../../sidecar/conditions.ts';
import type { ConfigMap } from '../../sidecar/objects.ts';
import type { KafkaCluster } from '../../sidecar/status/kafka-cluster.ts';
import { asking, clusterAccess } from '../cluster-access.ts';
import { CliError, exitCodes, type ExitCode } from '../errors.ts';
import { table } from '../output/table.ts';
import type { Terminal } from '../output/terminal.ts';

export interface GateStatusOptions {
  readonly namespace?: string;
  readonly allNamespaces?: boolean;
  readonly cluster?: string;
  readonly json?: boolean;
  readonly kubeconfig?: string;
}

/** What a person is shown of the disruption record; the rest of it is the sidecar's own. */
const record = z.object({
  holder: z
    .object({
      kind: z.string(),
      state: z.string(),
      pod: z.string().optional(),
      broker: z.number().optional(),
      by: z.string().optional(),
      sinceMs: z.number(),
      step: z.string().optional(),
      stepSinceMs: z.number().optional(),
      progress: z.object({ bytesLeft: z.number(), atMs: z.number() }).optional(),
    })
    .optional(),
  evictions: z.array(z.object({ pod: z.string(), atMs: z.number() })).default([]),
});

export type DisruptionSeen = z.infer<typeof record>;

/** One cluster as the gate has it. */
export interface GateSeen {
  readonly namespace: string;
  readonly cluster: string;
  /** Undefined where there is none; a text where it cannot be read. */
  readonly disruption: DisruptionSeen | string | undefined;
  readonly budget: V1PodDisruptionBudget | undefined;
  readonly conditions: readonly Condition[];
}

/** The record in a ConfigMap, or why it cannot be read. */
export function disruptionIn(stored: ConfigMap | undefined): GateSeen['disruption'] {
  if (stored === undefined) return undefined;
  try {
    const read = record.safeParse(JSON.parse(stored.data?.['record'] ?? ''));
    if (read.success) return read.data;
    const [first] = read.error.issues;
    return `unreadable: ${first?.path.join('.') ?? ''}: ${first?.message ?? ''}`;
  } catch {
    return 'unreadable: it holds no JSON under the key record';
  }
}

const units = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
  ['s', 1_000],
] as const;

/** `4 min`, of a span in milliseconds. */
export function span(ms: number): string {
  const [unit, size] = units.find(([, each]) => ms >= each) ?? units[3];
  return `${Math.max(0, Math.floor(ms / size))} ${unit}`;
}

const gibibytes = (bytes: number): string => `${(bytes / 1024 ** 3).toFixed(1)} GiB`;

function holderText({ holder }: DisruptionSeen, nowMs: number): string {
  if (!holder) return 'none: the next that asks is judged';
  const { kind, state, pod, broker, step, stepSinceMs, sinceMs, progress } = holder;
  const who = pod ?? (broker === undefined ? 'the cluster' : `broker ${broker}`);
  const since = `${state} since ${span(nowMs - sinceMs)}`;
  const at = step && `${step} since ${span(nowMs - (stepSinceMs ?? sinceMs))}`;
  const left = progress && `${gibibytes(progress.bytesLeft)} left`;
  return [`${kind} of ${who}`, since, at, left].filter((part) => part !== undefined).join(', ');
}

const evictionsText = ({ evictions }: DisruptionSeen, nowMs: number): string =>
  evictions.length === 0
    ? 'none within the last hour'
    : evictions.map(({ pod, atMs }) => `${pod} ${span(nowMs - atMs)} ago`).join(', ');

function budgetText(budget: V1PodDisruptionBudget | undefined): string {
  if (!budget) return 'none of kafka-warden’s';
  const { disruptionsAllowed = 0, currentHealthy = 0, expectedPods = 0 } = budget.status ?? {};
  const allowed = String(budget.spec?.maxUnavailable ?? '-');
  return `maxUnavailable ${allowed}, ${disruptionsAllowed} may go, ${currentHealthy} of ${expectedPods} pods healthy`;
}

/** What stands for one cluster, in rows. */
export function gateText(
  { namespace, cluster, disruption, budget, conditions }: GateSeen,
  nowMs: number,
): string {
  const seen: [string, string][] =
    typeof disruption === 'object'
      ? [
          ['disruption', holderText(disruption, nowMs)],
          ['evictions', evictionsText(disruption, nowMs)],
        ]
      : [['disruption', disruption ?? 'no record yet']];
  const rows = [
    ...seen,
    ['budget', budgetText(budget)],
    ...conditions.map(({ type, status, reason, message }) => [
      type,
      `${status}${reason ? ` (${reason})` : ''}${message ? `: ${message}` : ''}`,
    ]),
  ];
  return `${namespace}/${cluster}\n${table(rows.map((row) => ['', ...row]))}`;
}

async function seen(kube: Kube, { metadata, status }: KafkaCluster): Promise<GateSeen> {
  const { namespace = '', name = '' } = metadata;
  const { disruption, warden } = objectsOf(name);
  const stored = await kube.tryGet<ConfigMap>(paths.configmaps(namespace, disruption));
  const budget = await kube.tryGet<V1PodDisruptionBudget>(paths.poddisruptionbudgets(namespace, warden));
  return {
    namespace,
    cluster: name,
    disruption: disruptionIn(stored),
    budget,
    conditions: status?.conditions ?? [],
  };
}

const notInstalled = new CliError(
  'not-installed',
  'The API server knows no KafkaCluster: kafka-warden is not installed in this cluster (install its Helm chart).',
);

/** `kafka-warden gate status`: who is away or may go, since when, and what the budget lets go. */
export const gateStatusCommand = async (
  options: GateStatusOptions,
  terminal: Terminal,
): Promise<ExitCode> => {
  const kube = await clusterAccess(options.kubeconfig);
  const where = options.allNamespaces ? undefined : (options.namespace ?? kube.namespace ?? 'default');
  const clusters = await asking('list KafkaCluster objects', async () => {
    try {
      return await kube.list<KafkaCluster>(paths.kafkaclusters(where));
    } catch (error) {
      throw isStatus(error, 404) ? notInstalled : error;
    }
  });
  const chosen = clusters.filter(
    ({ metadata }) => options.cluster === undefined || metadata.name === options.cluster,
  );
  if (chosen.length === 0)
    throw new CliError(
      'not-found',
      `There is no Kafka cluster ${options.cluster ?? 'in the care of kafka-warden'} in ${where === undefined ? 'any namespace' : `the namespace ${where}`}. Known: ${clusters.map(({ metadata }) => metadata.name).join(', ') || 'none'}.`,
    );
  const all = await asking('read ConfigMaps and PodDisruptionBudgets', () =>
    Promise.all(chosen.map((cluster) => seen(kube, cluster))),
  );
  if (options.json) terminal.out(`${JSON.stringify({ schema: 1, clusters: all }, undefined, 2)}\n`);
  else terminal.out(all.map((one) => gateText(one, Date.now())).join('\n'));
  return exitCodes.ok;
};
