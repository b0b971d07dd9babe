import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { clusterUnavailable, images, startCluster, type Cluster } from '../cluster/index.ts';
import { givenApplication } from '../support/application.ts';
import { brokersOf, deleteNamespace } from '../support/brokers.ts';
import { journey } from '../support/journey.ts';
import { vanillaManifest } from '../support/vanilla.ts';
import { enrolledNamespace, installWarden } from '../support/warden.ts';

const skip = clusterUnavailable() ?? false;

suite('the journey of a vanilla Kafka 4.1', { skip }, () =>
  journey({ image: images.kafka41, namespace: 'journey', version: /^4\.1/ }),
);

suite('a vanilla Kafka 3.9', { skip }, () => {
  const user = 'alice';
  let cluster: Cluster;
  before(async () => {
    cluster = await startCluster();
    await installWarden(cluster);
  });
  after(async () => {
    await cluster?.[Symbol.asyncDispose]();
  });

  test('it is hardened, refuses strangers, serves its user, and restarts', async () => {
    const other = { name: 'kafka', namespace: 'journey-39', image: images.kafka39 };
    const of = brokersOf(cluster, other.namespace, other.name);
    await enrolledNamespace(cluster, other.namespace);
    await cluster.apply(vanillaManifest(other));
    await of.ready();
    const app = await givenApplication(cluster, {
      namespace: other.namespace,
      user,
      kafka: 'kafka',
      group: 'journey',
    });
    assert.equal((await app.connect('anonymous')).connected, false);
    assert.equal((await app.connect('plain')).connected, false);
    assert.equal(await app.produce('orders', 100), 100);
    const uid = (await of.uids())['kafka-0'] ?? '';
    await cluster.kubectl(['-n', other.namespace, 'delete', 'pod', 'kafka-0']);
    await of.cameBack('kafka-0', uid);
    assert.equal(await app.consume('orders', 'journey', 100), 100);
    await deleteNamespace(cluster, other.namespace);
  });
});
