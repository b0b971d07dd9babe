import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { clusterUnavailable, startCluster, type Cluster } from '../../cluster/index.ts';
import { givenApplication } from '../../support/application.ts';
import { brokersOf, deleteNamespace } from '../../support/brokers.ts';
import { vanillaObjects } from '../../support/vanilla.ts';
import { enrolledNamespace, installWarden } from '../../support/warden.ts';
import { deliveries } from './manifests.ts';

/** Ways in which people configure the image, each hardened, used, restarted and applied again on the real cluster. */
suite('every way of configuring apache/kafka', { skip: clusterUnavailable() ?? false }, () => {
  let cluster: Cluster;
  before(async () => {
    cluster = await startCluster();
    await installWarden(cluster);
  });
  after(async () => {
    await cluster?.[Symbol.asyncDispose]();
  });

  for (const { name, container, extra, pod = {} } of deliveries)
    test(`configured by ${name}: hardened, used, restarted, applied again`, async () => {
      const namespace = `by-${name.replaceAll(' ', '-')}`;
      const brokers = brokersOf(cluster, namespace, 'kafka');
      await enrolledNamespace(cluster, namespace);
      try {
        const objects = [
          ...extra(namespace),
          ...vanillaObjects({ name: 'kafka', namespace, container: container(namespace), pod }),
        ];
        await cluster.apply(objects);
        await brokers.ready();
        const application = await givenApplication(cluster, {
          namespace,
          user: 'alice',
          kafka: 'kafka',
          group: 'g',
        });
        assert.equal((await application.connect('plain')).connected, false);
        assert.equal(await application.produce('orders', 100), 100);
        const uid = (await brokers.uids())['kafka-1'] ?? '';
        await cluster.kubectl(['-n', namespace, 'delete', 'pod', 'kafka-1']);
        await brokers.cameBack('kafka-1', uid);
        assert.equal(await application.consume('orders', 'g', 100), 100);
        const before = { revisions: await brokers.revisions(), uids: await brokers.uids() };
        await cluster.apply(objects);
        assert.deepEqual({ revisions: await brokers.revisions(), uids: await brokers.uids() }, before);
      } finally {
        await deleteNamespace(cluster, namespace);
      }
    });
});
