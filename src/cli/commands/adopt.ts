import { isStatus } from '../../kubernetes/errors.ts';
import type { JsonObject, Json } from '../../hardening/tree.ts';
import { kindOf, nameOf as nameOfSubject, type Subject } from '../../lint/subject.ts';
import { sceneOf } from '../../lint/scene.ts';
import { planAdoption, type AdoptionPlan, type Planned } from '../adoption/plan.ts';
import { planText } from '../adoption/text.ts';
import { namespaceOf } from '../assess.ts';
import { CliError, exitCodes, type ExitCode } from '../errors.ts';
import { readManifests } from '../manifest/manifests.ts';
import { objectsOf } from '../manifest/objects.ts';
import { block } from '../manifest/render.ts';
import type { Terminal } from '../output/terminal.ts';

export interface AdoptOptions {
  readonly name?: string;
  readonly filename?: readonly string[];
  readonly recursive?: boolean;
  readonly namespace?: string;
  readonly plan?: boolean;
  readonly output?: 'text' | 'json' | 'yaml';
  readonly kubeconfig?: string;
}

/** `statefulset/kafka` for `kafka`, as kubectl takes it. */
const prefix = /^(?:statefulsets?|sts)\//;

const fromFiles = ({ filename = [], recursive, namespace }: AdoptOptions): Subject[] =>
  readManifests(filename, { recursive })
    .documents.flatMap(objectsOf)
    .map((object) => ({ value: object.value, namespace: namespaceOf(object, namespace) }));

/** What the cluster has of the namespace: nothing secret is read. */
const fromCluster = async ({ name, namespace: given, kubeconfig }: AdoptOptions): Promise<Subject[]> => {
  const [{ asking, clusterAccess }, { paths }] = await Promise.all([
    import('../cluster-access.ts'),
    import('../../kubernetes/paths.ts'),
  ]);
  const kube = await clusterAccess(kubeconfig);
  const namespace = given ?? kube.namespace ?? 'default';
  const read = async (apiVersion: string, kind: string, path: string) => {
    const items = await asking(`read ${kind}s`, () => kube.list<JsonObject>(path));
    return items.map((item): Subject => ({ namespace, value: { ...item, apiVersion, kind } }));
  };
  await asking('read StatefulSets', async () => {
    try {
      await kube.get<JsonObject>(paths.statefulsets(namespace, name?.replace(prefix, '')));
    } catch (error) {
      if (!isStatus(error, 404)) throw error;
      throw new CliError('not-found', `There is no StatefulSet ${name} in the namespace ${namespace}.`);
    }
  });
  return [
    ...(await read('apps/v1', 'StatefulSet', paths.statefulsets(namespace))),
    ...(await read('v1', 'Service', paths.services(namespace))),
    ...(await read('v1', 'ConfigMap', paths.configmaps(namespace))),
  ];
};

/** The set that is meant: the one that is named, else one of each cluster in the input. */
function chosen(subjects: readonly Subject[], name: string | undefined): Subject[] {
  const sets = subjects.filter((s) => kindOf(s) === 'StatefulSet');
  if (name !== undefined) {
    const found = sets.filter((s) => nameOfSubject(s) === name);
    if (found.length === 0) throw new CliError('not-found', `The input holds no StatefulSet ${name}.`);
    return found;
  }
  const seen = new Set<string>();
  const scene = sceneOf(subjects, new Map());
  return scene.brokers.flatMap(({ workload, cluster }) => {
    const key = `${workload.namespace}/${cluster}`;
    if (workload.kind !== 'StatefulSet' || seen.has(key)) return [];
    seen.add(key);
    return [workload.subject];
  });
}

const refusal = ({ namespace, name, why }: Extract<Planned, { kind: 'cannot' }>): string =>
  [
    `StatefulSet ${namespace}/${name} cannot be adopted:\n`,
    ...why.map(
      ({ rule, path, message, remedy }) => `  ${rule}: ${message}\n      ${path}\n      ${remedy}\n`,
    ),
  ].join('');

function print(plans: readonly AdoptionPlan[], { output }: AdoptOptions, terminal: Terminal): void {
  const [only] = plans;
  const value = (plans.length === 1 ? only : plans) as unknown as Json;
  if (output === 'json') terminal.out(`${JSON.stringify(value, undefined, 2)}\n`);
  else if (output === 'yaml') terminal.out(`${block(value, { step: 2, sequences: false })}\n`);
  else terminal.out(plans.map((plan) => planText(terminal, plan)).join('\n'));
}

/**
 * `kafka-warden adopt --plan`: the stages that bring a running plaintext cluster under hardening, for a manifest (`-f`) or a set in
 * the cluster. Exit code 3 where a set cannot be adopted; the reason goes to standard error.
 */
export const adoptCommand = async (options: AdoptOptions, terminal: Terminal): Promise<ExitCode> => {
  const { name, filename = [], plan } = options;
  if (plan !== true)
    throw new CliError(
      'usage',
      'This version plans adoptions and does not carry them out: add --plan, and follow the stages.',
    );
  if (filename.length === 0 && name === undefined)
    throw new CliError('usage', 'Name the StatefulSet to adopt, or a manifest with -f FILE.');
  const subjects = filename.length > 0 ? fromFiles(options) : await fromCluster(options);
  const meant = chosen(subjects, name?.replace(prefix, ''));
  if (meant.length === 0) throw new CliError('not-found', 'The input holds no StatefulSet that runs Kafka.');
  const planned = meant.map((subject) => planAdoption(subjects, subject));
  const plans = planned.flatMap((p) => (p.kind === 'plan' ? [p.plan] : []));
  if (plans.length > 0) print(plans, options, terminal);
  for (const p of planned) if (p.kind === 'cannot') terminal.err(refusal(p));
  return plans.length === planned.length ? exitCodes.ok : exitCodes.refused;
};
