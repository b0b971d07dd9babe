import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Decision } from '../../src/hardening/index.ts';
import type { Cluster } from '../cluster/index.ts';
import { givenApplication } from '../support/application.ts';
import { deleteNamespace } from '../support/brokers.ts';
import { until } from '../support/until.ts';
import { enrolledNamespace } from '../support/warden.ts';
import { evidenceOf } from './evidence.ts';
import { expectedOf, namespace as writtenFor, readShape, type Shape } from './shape.ts';
import { workloadsOf, type SetPod, type Workloads } from './workloads.ts';

/** What was seen of a shape on a real cluster. */
export interface Proof {
  name: string;
  outcome: Decision;
  ok: boolean;
  seconds: number;
  /** Each step that was done, with its seconds. */
  steps: { name: string; seconds: number }[];
  /** Why a step failed, and what the namespace looked like then. */
  failure?: { step: string; error: unknown; evidence: string };
}

export interface ProveOptions {
  /** Leave the namespace, to look at. */
  keep?: boolean;
  /** The namespace; by the shape's name as default. */
  namespace?: string;
}

interface Stage {
  cluster: Cluster;
  shape: Shape;
  namespace: string;
  manifest: string;
  workloads: Workloads;
  step: <T>(name: string, run: () => Promise<T>) => Promise<T>;
}

const readyWithinMs = 180_000;
const messages = 100;

/** The manifest's text, for another namespace than the one that it was written for. */
export function manifestOf(name: string, namespace: string): string {
  const text = readFileSync(join(import.meta.dirname, 'manifests', `${name}.yaml`), 'utf8');
  return text.replaceAll(`.${writtenFor}.`, `.${namespace}.`);
}

/**
 * Applies a shape in an enrolled namespace of its own and checks what its header promises. Where it is not to be run, the API
 * server is asked what would become of it.
 */
export async function proveShape(
  cluster: Cluster,
  name: string,
  { keep = false, namespace = `shape-${name}` }: ProveOptions = {},
): Promise<Proof> {
  const shape = readShape(name);
  const from = performance.now();
  const steps: Proof['steps'] = [];
  let current = 'begin';
  const step: Stage['step'] = async (name, run) => {
    current = name;
    const from = performance.now();
    const value = await run();
    steps.push({ name, seconds: secondsSince(from) });
    return value;
  };
  const proof = (rest: Pick<Proof, 'ok' | 'failure'>): Proof => ({
    name,
    outcome: shape.outcome,
    seconds: secondsSince(from),
    steps,
    ...rest,
  });
  await enrolledNamespace(cluster, namespace);
  try {
    const manifest = manifestOf(name, namespace);
    const workloads = workloadsOf(cluster, namespace);
    const stage = { cluster, shape, namespace, manifest, workloads, step };
    await (shape.outcome === 'refused'
      ? proveRefused(stage)
      : shape.runs
        ? proveRun(stage)
        : proveAdmitted(stage));
    return proof({ ok: true });
  } catch (error) {
    const evidence = await evidenceOf(cluster, namespace);
    return proof({ ok: false, failure: { step: current, error, evidence } });
  } finally {
    if (!keep) await end(cluster, namespace);
  }
}

/**
 * Removes a namespace. The sets go first, without their pods, and then these: a namespace that waits for a broker's long grace
 * period is looked at again only after half of it. What stays behind disturbs no other shape.
 */
async function end(cluster: Cluster, namespace: string): Promise<void> {
  const kubectl = (...args: string[]) => cluster.kubectl(['-n', namespace, ...args]);
  try {
    const pods = await workloadsOf(cluster, namespace).pods();
    await kubectl('delete', 'statefulsets', '--all', '--cascade=orphan');
    if (pods.length > 0)
      await kubectl(
        'delete',
        'pods',
        '--force',
        '--grace-period=0',
        '--wait=false',
        ...pods.map(({ name }) => name),
      );
    await deleteNamespace(cluster, namespace);
  } catch (error) {
    console.error(`${namespace} is left behind: ${String(error)}`);
  }
}

const secondsSince = (from: number): number => Math.round((performance.now() - from) / 100) / 10;

const apply = ({ cluster, namespace, manifest }: Stage, ...options: string[]) =>
  cluster.kubectl(['-n', namespace, 'apply', ...options, '-f', '-'], { input: manifest });

/** The message names the rule and the path, so that the user finds the place. */
async function proveRefused(stage: Stage): Promise<void> {
  await stage.step('is refused, by rule and path', async () => {
    const message = await apply(stage).then(
      () => undefined,
      (error: unknown) => String(error),
    );
    assert.ok(message !== undefined, 'kubectl apply was let through');
    if (stage.shape.runs) assert.match(message, /kafka-warden[^]*[a-z]+(-[a-z]+)*[^]*\/spec/);
  });
}

/** What the API server would store, where pods of it are not to be had here. */
async function proveAdmitted(stage: Stage): Promise<void> {
  if (/API server|apply refuses/.test(stage.shape.notRun ?? '')) return;
  await stage.step('would be stored as its header says', async () => {
    // Only its sets: kinds of others may not be known here.
    const items = stage.shape.sets.filter(({ kind }) => kind === 'StatefulSet');
    if (items.length === 0) return;
    const manifest = JSON.stringify({ apiVersion: 'v1', kind: 'List', items });
    const asked = await apply({ ...stage, manifest }, '--dry-run=server', '-o', 'json');
    const stored = JSON.parse(asked) as StoredList;
    const sets = (stored.items ?? [stored as StoredSet]).filter(({ kind }) => kind === 'StatefulSet');
    for (const set of sets) expectDecision(stage, set.metadata.name, pinOf(set));
  });
}

interface StoredSet {
  kind: string;
  metadata: { name: string; annotations?: Record<string, string> };
}
interface StoredList {
  items?: StoredSet[];
}

const pinOf = ({ metadata }: StoredSet) => metadata.annotations?.['kafka-warden.io/profile'];

function expectDecision({ shape }: Stage, name: string, pin: string | undefined): void {
  const set = shape.sets.find(({ metadata }) => metadata?.name === name);
  if (set === undefined) return;
  const expected = expectedOf(shape, set);
  assert.equal(pin === undefined ? 'reported' : 'hardened', expected, `${name} is ${expected}`);
}

async function proveRun(stage: Stage): Promise<void> {
  const { workloads, step } = stage;
  await step('kubectl apply', () => apply(stage));
  await step('hardened, or left as it was written', async () => {
    for (const [name, { pin, template }] of await workloads.sets()) {
      expectDecision(stage, name, pin);
      if (pin === undefined) assert.doesNotMatch(template, /kafka-warden/, `${name} was changed`);
    }
  });
  await step('all pods are ready', () => workloads.ready(readyWithinMs));
  if ([...(await workloads.sets()).values()].some(({ pin }) => pin !== undefined)) await proveServes(stage);
  await step('applied again, nothing changes', async () => {
    const before = await workloads.settled();
    await apply(stage);
    assert.deepEqual(await workloads.settled(), before);
  });
}

/** Strangers are refused, a user is served, also after one pod of each hardened set was replaced. */
async function proveServes(stage: Stage): Promise<void> {
  const { cluster, namespace, workloads, step } = stage;
  const kafka = await step('the cluster says that it is ready', async () => {
    const names = await cluster.kubectl(['-n', namespace, 'get', 'kafkaclusters', '-o', 'name']);
    const [name = '', ...others] = names.trim().split('\n');
    assert.deepEqual(others, [], 'the sets form one cluster');
    await cluster.kubectl(['-n', namespace, 'wait', name, '--for=condition=Ready', '--timeout=120s']);
    return name.split('/').at(-1) ?? '';
  });
  const application = await step('a user gets credentials', () =>
    givenApplication(cluster, { namespace, user: 'alice', kafka, group: 'shape' }),
  );
  await step('strangers are refused', async () => {
    for (const kind of ['plain', 'anonymous'] as const)
      assert.equal((await application.connect(kind)).connected, false, kind);
    const [broker] = (await workloads.pods()).filter(({ broker }) => broker);
    for (const port of await portsOf(stage, kafka))
      assert.equal(
        (await application.connect('plain', `${broker?.ip}:${port}`)).connected,
        false,
        `port ${port}`,
      );
  });
  await step('a user produces', async () =>
    assert.equal(await application.produce('orders', messages), messages),
  );
  await step('a pod of each hardened set comes back', async () => {
    const hardened = await hardenedPods(workloads);
    for (const pod of hardened) await workloads.restart(pod, readyWithinMs);
  });
  const brokers = (await workloads.pods()).filter(({ broker }) => broker);
  if (brokers.length === 1 && brokers[0]?.claims === false)
    await step('a user produces again: the data went with the pod', async () => {
      await until(
        'the broker knows the user again',
        async () => (await application.connect('user')).connected,
      );
      assert.equal(await application.produce('orders', messages), messages);
    });
  await step('a user consumes what was produced', async () =>
    assert.equal(await application.consume('orders', 'shape', messages), messages),
  );
}

/** Every port that the cluster says it listens on. */
async function portsOf({ cluster, namespace }: Stage, kafka: string): Promise<string[]> {
  const path = 'jsonpath={.status.listeners[*].port}';
  return (await cluster.kubectl(['-n', namespace, 'get', 'kafkacluster', kafka, '-o', path])).split(' ');
}

/** The last pod of each hardened set; of two sets at most. */
async function hardenedPods(workloads: Workloads): Promise<SetPod[]> {
  const sets = await workloads.sets();
  const last = new Map<string, SetPod>();
  for (const pod of await workloads.pods()) if (sets.get(pod.set)?.pin !== undefined) last.set(pod.set, pod);
  return [...last.values()].slice(0, 2);
}
