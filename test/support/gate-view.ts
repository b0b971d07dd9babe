import type { DisruptionRecord, Holder } from '../../src/gate/record.ts';
import type { Kube } from '../../src/kubernetes/client.ts';
import { paths } from '../../src/kubernetes/paths.ts';
import type { Budget, ConfigMap } from '../../src/sidecar/objects.ts';
import { tryRun } from '../cluster/command.ts';
import type { Cluster } from '../cluster/index.ts';
import { until } from './until.ts';

/** What the API server said to an eviction: `allowed`, or the message of the refusal. */
export type Answer = { readonly allowed: true } | { readonly allowed: false; readonly message: string };

/** A hardened cluster's disruption gate, as the API server shows it. */
export interface GateView {
  holder(): Promise<Holder | undefined>;
  maxUnavailable(): Promise<number>;
  /** Of these pods, the one with the fewest evictions within the last hour: three of one pod are taken for a loop. */
  leastEvicted(pods: readonly string[]): Promise<string>;
  /** Waits until the budget is open and nobody holds the record. */
  open(timeoutMs?: number): Promise<void>;
  /** Asks for one eviction, once, by the API. */
  evict(pod: string): Promise<Answer>;
  /** Asks every second until it is allowed. Resolves with what was said before. */
  evicted(pod: string, timeoutMs?: number): Promise<string[]>;
  /** Waits for the record to be at a step of a pod (any where absent). */
  at(step: string, options?: { pod?: string; timeoutMs?: number }): Promise<void>;
}

export interface GateViewOptions {
  readonly cluster: Cluster;
  readonly kube: Kube;
  readonly namespace: string;
  readonly kafka: string;
}

export function gateView({ cluster, kube, namespace, kafka }: GateViewOptions): GateView {
  const record = async (): Promise<DisruptionRecord | undefined> => {
    const stored = await kube.tryGet<ConfigMap>(paths.configmaps(namespace, `${kafka}-kafka-disruption`));
    const text = stored?.data?.['record'];
    return text === undefined ? undefined : (JSON.parse(text) as DisruptionRecord);
  };
  const holder = async () => (await record())?.holder;
  const maxUnavailable = async () => {
    const budget = await kube.get<Budget>(paths.poddisruptionbudgets(namespace, `${kafka}-kafka-warden`));
    return Number(budget.spec?.maxUnavailable);
  };
  const evict = async (pod: string): Promise<Answer> => {
    const path = `${paths.pods(namespace, pod)}/eviction`;
    const { code, stderr } = await tryRun(
      cluster.programs.kubectl,
      ['--kubeconfig', cluster.kubeconfig, 'create', '--raw', path, '-f', '-'],
      {
        input: JSON.stringify({
          apiVersion: 'policy/v1',
          kind: 'Eviction',
          metadata: { name: pod, namespace },
        }),
      },
    );
    return code === 0 ? { allowed: true } : { allowed: false, message: stderr.trim() };
  };
  return {
    holder,
    maxUnavailable,
    evict,
    async leastEvicted(pods) {
      const evictions = (await record())?.evictions ?? [];
      const times = (pod: string) => evictions.filter((one) => one.pod === pod).length;
      return pods.toSorted((a, b) => times(a) - times(b))[0] ?? '';
    },
    async open(timeoutMs = 240_000) {
      await until(
        'the budget is open and nobody holds the record',
        async () => {
          const [most, held] = [await maxUnavailable(), await holder()];
          if (most === 1 && held === undefined) return true;
          throw new Error(`maxUnavailable ${most}, held by ${JSON.stringify(held)}`);
        },
        { timeoutMs, everyMs: 500 },
      );
    },
    async evicted(pod, timeoutMs = 240_000) {
      const refusals: string[] = [];
      await until(
        `${pod} may go`,
        async () => {
          const answer = await evict(pod);
          if (answer.allowed) return true;
          refusals.push(answer.message);
          throw new Error(answer.message);
        },
        { timeoutMs, everyMs: 1_000 },
      );
      return refusals;
    },
    async at(step, { pod, timeoutMs = 120_000 } = {}) {
      await until(
        `the record is at ${step}`,
        async () => {
          const held = await holder();
          const stands = held?.state === 'held' ? held.step : held?.state;
          if (stands === step && (pod === undefined || held?.pod === pod)) return true;
          throw new Error(JSON.stringify(held));
        },
        { timeoutMs, everyMs: 50 },
      );
    },
  };
}
