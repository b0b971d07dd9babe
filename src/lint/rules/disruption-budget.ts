import { isObject, type Json } from '../../hardening/tree.ts';
import type { LintRule, Said, Scene } from '../scene.ts';
import { nameOf, objectsAt, selects, textAt, textsAt, valueAt, type Subject } from '../subject.ts';
import type { Workload } from '../workload.ts';

type Labels = Readonly<Record<string, string>>;

const holds = (expression: Json, labels: Labels): boolean => {
  const key = textAt(expression, 'key') ?? '';
  const values = valueAt(expression, 'values');
  const isIn = Array.isArray(values) && values.includes(labels[key] ?? '');
  switch (textAt(expression, 'operator')) {
    case 'In':
      return isIn;
    case 'NotIn':
      return !isIn;
    case 'Exists':
      return key in labels;
    case 'DoesNotExist':
      return !(key in labels);
    default:
      return false;
  }
};

/** A budget's selector: an empty one selects every pod in policy/v1 and none in policy/v1beta1. */
function covers(budget: Subject, { namespace, podLabels }: Workload): boolean {
  if (budget.namespace !== namespace) return false;
  const selector = valueAt(budget.value, 'spec', 'selector');
  if (!isObject(selector)) return false;
  const labels = textsAt(selector, 'matchLabels');
  const expressions = objectsAt(selector, 'matchExpressions').map(([, e]) => e);
  if (Object.keys(labels).length === 0 && expressions.length === 0)
    return textAt(budget.value, 'apiVersion') === 'policy/v1';
  const named = Object.keys(labels).length === 0 || selects(labels, podLabels);
  return named && expressions.every((e) => holds(e, podLabels));
}

const share = (value: Json | undefined, of: number): number | undefined => {
  if (typeof value === 'number') return value;
  const percent = typeof value === 'string' ? /^(\d+)%$/.exec(value)?.[1] : undefined;
  return percent === undefined ? undefined : Math.ceil((Number(percent) * of) / 100);
};

/** How many pods a budget lets go at once, of so many; and the field that says so. */
function allowed(
  { value }: Subject,
  pods: number,
): { count: number; field: string; text: string } | undefined {
  for (const field of ['maxUnavailable', 'minAvailable'] as const) {
    const given = valueAt(value, 'spec', field);
    const number = share(given, pods);
    if (number === undefined || (typeof given !== 'number' && typeof given !== 'string')) continue;
    const count = field === 'maxUnavailable' ? number : Math.max(0, pods - number);
    return { count, field, text: `${field}: ${given}` };
  }
  return undefined;
}

function size(budget: Subject, workloads: readonly Workload[]): Said[] {
  const pods = workloads.filter((w) => covers(budget, w)).reduce((sum, w) => sum + w.replicas, 0);
  const given = allowed(budget, pods);
  if (pods < 2 || given === undefined || given.count === 1) return [];
  const { count, field, text } = given;
  return [
    {
      subject: budget,
      path: `/spec/${field}`,
      message:
        count > 1
          ? `${text} lets ${count} of ${pods} brokers be evicted at once: two may hold the same partition`
          : `${text} lets none of ${pods} brokers be evicted: no node that runs one can be drained`,
    },
  ];
}

function check(scene: Scene): Said[] {
  const budgets = scene.ofKind('PodDisruptionBudget');
  const workloads = [...new Set(scene.brokers.map((b) => b.workload))].filter(
    (w) => w.kind === 'StatefulSet',
  );
  const overlaps = workloads.flatMap((workload): Said[] => {
    const [first, ...others] = budgets.filter((b) => covers(b, workload));
    const second = others.find((b) => first !== undefined && nameOf(b) !== nameOf(first));
    if (first === undefined || second === undefined) return [];
    return [
      {
        subject: second,
        path: '/spec/selector',
        message: `the budgets ${nameOf(first)} and ${nameOf(second)} both select the pods of ${workload.name}: the API server answers every eviction with an error`,
        remedy: `Remove one of them.`,
        severity: 'error',
      },
    ];
  });
  const absent = workloads.flatMap((workload): Said[] => {
    if (workload.replicas < 2 || budgets.some((b) => covers(b, workload))) return [];
    const made = scene.layoutOf(workload.subject) !== undefined;
    return [
      {
        subject: workload.subject,
        path: '/spec/replicas',
        message: `no PodDisruptionBudget among these manifests selects the pods of ${workload.name}: a drain may evict several brokers at once`,
        ...(made && {
          severity: 'info' as const,
          remedy: 'Nothing to do where kafka-warden runs: the sidecar makes it.',
        }),
      },
    ];
  });
  return [...overlaps, ...absent, ...budgets.flatMap((b) => size(b, workloads))];
}

export const disruptionBudget: LintRule = {
  doc: {
    id: 'disruption-budget',
    title: 'One disruption budget, for one broker at a time',
    why: 'Draining nodes evicts pods, and only a PodDisruptionBudget makes the second broker wait until the first is back. Two budgets over one pod are an error for the eviction API, so that nothing can be drained.',
    remedy: 'Write one PodDisruptionBudget over all brokers of the cluster with maxUnavailable: 1.',
    severity: 'warning',
  },
  check,
};
