import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { tryRun } from '../test/cluster/command.ts';
import type { Cluster } from '../test/cluster/index.ts';
import { startApplication } from '../test/support/application.ts';
import { portForward } from '../test/support/port-forward.ts';
import { until } from '../test/support/until.ts';
import { enrolledNamespace, installWarden } from '../test/support/warden.ts';
import { claim, show } from './narrate.ts';

const namespace = 'demo';
const pods = ['kafka-0', 'kafka-1', 'kafka-2'];
const run = promisify(execFile);
const program = new URL('../src/cli/main.ts', import.meta.url).pathname;

/** The manifests that the demo applies. */
export interface Manifests {
  kafka: string;
  user: string;
}

/** Everything that the demo shows, in order. Throws at the first claim that does not hold. */
export async function demonstrate(cluster: Cluster, manifests: Manifests): Promise<void> {
  const kubectl = (...args: string[]) => cluster.kubectl(['-n', namespace, ...args]);

  show.step('kafka-warden, by its Helm chart');
  await installWarden(cluster);
  show.closer('kubectl -n kafka-warden get pods; kubectl get mutatingwebhookconfigurations');

  show.step('The namespace demo is enrolled', 'label kafka-warden.io/enroll=true');
  await enrolledNamespace(cluster, namespace);

  await applyVanilla(cluster, manifests.kafka);

  show.step('What the 3 brokers got');
  show.output(await kubectl('get', 'kafkacluster', 'kafka'));
  show.output(await kubectl('get', 'pods', '-l', 'kafka-warden.io/node=kafka', '-o', 'wide', '--no-headers'));
  await spreadAndBudget(cluster);

  show.step('A first user', 'a KafkaUser of 10 lines, its credentials in the Secret alice-kafka-user');
  await cluster.kubectl(['-n', namespace, 'apply', '-f', '-'], { input: manifests.user });
  await kubectl('wait', 'kafkauser/alice', '--for=condition=Ready', '--timeout=60s');
  show.closer('kubectl -n demo get secret alice-kafka-user -o yaml');
  await clients(cluster);
  await certificates(cluster);
  await heldAndReleased(cluster);
  await balances(cluster);
  show.step('Done');
}

async function applyVanilla(cluster: Cluster, manifest: string): Promise<void> {
  const lines = manifest.slice(manifest.indexOf('kind: StatefulSet')).trim().split('\n').length + 1;
  show.step(
    'A vanilla Kafka is applied',
    `a StatefulSet of ${lines} lines and its Service: no listeners, no TLS, no ids`,
  );
  const from = performance.now();
  show.output(await cluster.kubectl(['-n', namespace, 'apply', '-f', '-'], { input: manifest }));
  await until(
    '3 brokers are ready',
    async () => {
      const ready = await cluster.kubectl([
        '-n',
        namespace,
        'get',
        'statefulset',
        'kafka',
        '-o',
        'jsonpath={.status.readyReplicas}',
      ]);
      return ready === '3';
    },
    { timeoutMs: 240_000 },
  );
  await cluster.kubectl([
    '-n',
    namespace,
    'wait',
    'kafkacluster/kafka',
    '--for=condition=Ready',
    '--timeout=60s',
  ]);
  show.seen(
    `a hardened cluster runs ${((performance.now() - from) / 1000).toFixed(0)} s after kubectl apply`,
  );
  show.closer(
    'kubectl -n demo get statefulset kafka -o yaml (settings in WARDEN_SETTINGS, each added by a rule: kafka-warden explain RULE)',
  );
}

async function spreadAndBudget(cluster: Cluster): Promise<void> {
  const nodes = await cluster.kubectl([
    '-n',
    namespace,
    'get',
    'pods',
    '-l',
    'kafka-warden.io/node=kafka',
    '-o',
    'jsonpath={.items[*].spec.nodeName}',
  ]);
  claim(new Set(nodes.split(' ')).size === 3, 'each broker is on a node of its own');
  const budget = await cluster.kubectl(['-n', namespace, 'get', 'pdb', 'kafka-kafka-warden', '-o', 'name']);
  claim(budget !== '', 'a budget covers the brokers: it is open only while each of them could go');
}

async function clients(cluster: Cluster): Promise<void> {
  const application = await startApplication(cluster, namespace, 'alice');
  show.step('Clients', 'kafkajs in a pod');
  const anonymous = await application.connect('anonymous');
  claim(!anonymous.connected, `a client without credentials is refused (${anonymous.error ?? ''})`);
  const plain = await application.connect('plain');
  claim(!plain.connected, `a plaintext client is refused (${plain.error ?? ''})`);
  const produced = await application.produce('orders', 1000);
  const consumed = await application.consume('orders', 'demo', 1000);
  claim(
    produced === 1000 && consumed === 1000,
    'with its credentials, alice produced and consumed 1,000 messages',
  );
}

async function certificates(cluster: Cluster): Promise<void> {
  show.step("Each broker's own certificate", 'as openssl s_client sees it');
  const serials = new Set<string>();
  for (const pod of pods) {
    await using forward = await portForward(cluster, { namespace, pod, port: 9092 });
    const name = `${pod}.kafka.${namespace}.svc`;
    const script = `openssl s_client -connect 127.0.0.1:${forward.port} -servername ${name} </dev/null 2>/dev/null | openssl x509 -noout -serial -subject -enddate -checkhost ${name}`;
    const { stdout } = await run('bash', ['-c', script]);
    show.output(`${pod}: ${stdout.trim().replaceAll('\n', ', ')}`);
    claim(stdout.includes('does match certificate'), `${pod} presents a certificate for ${name}`);
    serials.add(/serial=(\w+)/.exec(stdout)?.[1] ?? '');
  }
  claim(serials.size === 3, 'no two brokers share a certificate');
}

/** A broker that leaves its node, and one that stands still meanwhile; not the node of the sidecar, which answers. */
async function leavingAndStill(cluster: Cluster): Promise<{ leaving: string; node: string; still: string }> {
  const nodesOf = async (selector: string) =>
    (
      await cluster.kubectl([
        ...['-n', namespace, 'get', 'pods', '-l', selector, '-o'],
        'jsonpath={range .items[*]}{.metadata.name} {.spec.nodeName}{"\\n"}{end}',
      ])
    )
      .trim()
      .split('\n')
      .map((line) => line.split(' '));
  const [sidecar] = await nodesOf('app.kubernetes.io/component=sidecar');
  const brokers = await nodesOf('kafka-warden.io/node=kafka');
  const [leaving = '', node = ''] = brokers.find(([, at]) => at !== sidecar?.[1]) ?? [];
  const [still = ''] = brokers.find(([pod]) => pod !== leaving) ?? [];
  return { leaving, node, still };
}

async function heldAndReleased(cluster: Cluster): Promise<void> {
  const kubectl = (...args: string[]) => cluster.kubectl(['-n', namespace, ...args]);
  const { leaving, node, still } = await leavingAndStill(cluster);
  const canPause = cluster.name !== 'external';
  show.step(
    'A drain is held until replicas are in sync, and released by itself',
    canPause
      ? `${still} stands still (SIGSTOP); kubectl drain ${node}, where ${leaving} runs`
      : `kubectl drain ${node}`,
  );
  const uid = await kubectl('get', 'pod', leaving, '-o', 'jsonpath={.metadata.uid}');
  if (canPause) await cluster.pause(still, namespace);
  const from = performance.now();
  const options = ['--ignore-daemonsets', '--delete-emptydir-data', '--force', '--timeout=240s'];
  const drained = tryRun(cluster.programs.kubectl, [
    ...['--kubeconfig', cluster.kubeconfig, 'drain', node, ...options],
  ]);
  if (canPause) {
    await new Promise((resolve) => setTimeout(resolve, 8_000));
    const now = await kubectl('get', 'pod', leaving, '-o', 'jsonpath={.metadata.uid}');
    claim(now === uid, `${leaving} is held while ${still} does not answer`);
    await cluster.resume(still, namespace);
  }
  const { code, stderr } = await drained;
  // kubectl prints every refusal; the longest says most.
  const refusals = stderr.split('\n').flatMap((line) => line.split('denied the request: ')[1] ?? []);
  const [told] = refusals.toSorted((one, other) => other.length - one.length);
  if (told !== undefined) show.output(told);
  claim(
    code === 0,
    `the drain passed by itself, ${((performance.now() - from) / 1000).toFixed(0)} s after it began`,
  );
  await until(
    `${leaving} is ready on another node`,
    async () => {
      const state = await kubectl(
        ...['get', 'pod', leaving, '-o'],
        'jsonpath={.spec.nodeName} {.status.conditions[?(@.type=="Ready")].status}',
      );
      const [at, ready] = state.split(' ');
      return at !== node && ready === 'True';
    },
    { timeoutMs: 180_000 },
  );
  show.seen(`${leaving} came back on another node with its data and its identity`);
  await cluster.kubectl(['uncordon', node]);
  show.closer('kafka-warden gate status -n demo; kubectl -n demo get kafkacluster kafka -o yaml');
}

/** A fourth broker comes and holds nothing; the plan that is proposed for it gives it its share once it is approved. */
async function balances(cluster: Cluster): Promise<void> {
  const kubectl = (...args: string[]) => cluster.kubectl(['-n', namespace, ...args]);
  const warden = async (...args: string[]) => {
    const env = { ...process.env, KUBECONFIG: cluster.kubeconfig };
    return (await run(process.execPath, [program, ...args, '-n', namespace], { env })).stdout.trim();
  };
  show.step('A fourth broker joins and gets its share', 'kubectl scale; kafka-warden rebalance approve');
  await kubectl('scale', 'statefulset', 'kafka', '--replicas=4');
  await until('the fourth broker serves', async () => {
    const brokers = await kubectl('get', 'kafkacluster', 'kafka', '-o', 'jsonpath={.status.summary}');
    return brokers.startsWith('4/4');
  });
  const name = 'kafka-scale-out';
  const phase = async (wanted: string) => {
    await until(
      `its share is ${wanted.toLowerCase()}`,
      async () =>
        (await kubectl(
          ...['get', 'kafkarebalance', name, '--ignore-not-found', '-o', 'jsonpath={.status.phase}'],
        )) === wanted,
      { timeoutMs: 180_000 },
    );
  };
  await phase('Proposed');
  show.output(await kubectl('get', 'kafkarebalance', name));
  await warden('rebalance', 'approve', name, '--yes');
  await phase('Done');
  show.output(await kubectl('get', 'kafkarebalance', name));
  const moved = await kubectl('get', 'kafkarebalance', name, '-o', 'jsonpath={.status.summary.replicaMoves}');
  claim(Number(moved) > 0, `${moved} replicas were copied to the new broker, and nothing else was moved`);
  show.closer(
    'kubectl -n demo get kafkarebalance kafka-scale-out -o yaml; kafka-warden rebalance status kafka-scale-out -n demo',
  );
}
