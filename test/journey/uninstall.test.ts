import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { clusterUnavailable, startCluster, type Cluster } from '../cluster/index.ts';
import { brokersOf, deleteNamespace, type Brokers } from '../support/brokers.ts';
import { vanillaManifest } from '../support/vanilla.ts';
import { enrolledNamespace, installWarden, uninstallWarden } from '../support/warden.ts';

const namespace = 'left-behind';

suite('with kafka-warden uninstalled', { skip: clusterUnavailable() ?? false }, () => {
  let cluster: Cluster;
  let brokers: Brokers;
  const kubectl = (...args: string[]) => cluster.kubectl(['-n', namespace, ...args]);

  before(async () => {
    cluster = await startCluster();
    await installWarden(cluster);
    await enrolledNamespace(cluster, namespace);
    brokers = brokersOf(cluster, namespace, 'kafka');
    await cluster.apply(vanillaManifest({ name: 'kafka', namespace }));
    await brokers.ready();
    await kubectl('wait', 'kafkacluster/kafka', '--for=condition=Ready', '--timeout=90s');
  });
  after(async () => {
    if (cluster) await deleteNamespace(cluster, namespace);
    await cluster?.[Symbol.asyncDispose]();
  });

  test('uninstalling says how long each cluster runs, and leaves brokers, budget and Secrets', async () => {
    const before = await brokers.uids();
    await uninstallWarden(cluster);
    assert.deepEqual(await brokers.uids(), before);
    assert.equal(
      await kubectl('get', 'pdb', 'kafka-kafka-warden', '-o', 'jsonpath={.spec.maxUnavailable}'),
      '1',
    );
    const until = await kubectl(
      'get',
      'kafkacluster',
      'kafka',
      '-o',
      'jsonpath={.status.farewell.leavesUntil}',
    );
    const days = (Date.parse(until) - Date.now()) / 86_400_000;
    assert.ok(days > 360 && days < 367, `leaves until ${until}`);
    assert.equal((await kubectl('get', 'deployments', '-o', 'name')).trim(), '');
    const webhooks = await cluster.kubectl([
      'get',
      'mutatingwebhookconfigurations,validatingwebhookconfigurations',
      '-o',
      'name',
    ]);
    assert.doesNotMatch(webhooks, /kafka-warden/);
  });

  test('brokers restart, move to another node and come back', async () => {
    for (const pod of await brokers.pods()) await brokers.move(pod);
  });

  test('installed again, kafka-warden takes the cluster up where it was', async () => {
    const before = { revisions: await brokers.revisions(), uids: await brokers.uids() };
    await installWarden(cluster);
    await kubectl('rollout', 'status', 'deployment/kafka-kafka-warden', '--timeout=90s');
    await kubectl('wait', 'kafkacluster/kafka', '--for=condition=Ready', '--timeout=90s');
    assert.deepEqual({ revisions: await brokers.revisions(), uids: await brokers.uids() }, before);
  });
});
