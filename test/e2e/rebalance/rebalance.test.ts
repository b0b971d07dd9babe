import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { clusterUnavailable } from '../../cluster/index.ts';
import { type Balanced, kafka, startBalanced } from '../../support/balanced.ts';
import { type LiveWorkload, startLiveWorkload } from '../../support/live-workload.ts';
import { until } from '../../support/until.ts';

/**
 * Topics of 60 partitions with two replicas, by what is written to each, in records of 4 KiB: with both replicas
 * 1.6 GB, and 2.4 GB in the end. With three replicas over three racks
 * a broker that is alone in its rack would have a third of everything, whatever is planned.
 */
const filled = { orders: 100_000, payments: 50_000, clicks: 20_000, audit: 10_000, stock: 10_000 };
const recordBytes = 4096;
const partitions = 60;
/** On the first three brokers, in turn. */
const onFirst = (count: number) => Array.from({ length: count }, (_, i) => [i % 3, (i + 1) % 3]);

void suite(
  'a cluster grows from 3 brokers to 5, is balanced, and shrinks, under load',
  { skip: clusterUnavailable() ?? false },
  () => {
    let balanced: Balanced;
    let live: LiveWorkload;
    const gb = (bytes: number) => (bytes / 1e9).toFixed(2);
    /** `broker 3 0.41 GB`, the smallest and the largest share of the average. */
    const spread = (bytes: ReadonlyMap<number, number>, of = [...bytes.keys()]) => {
      const values = of.map((id) => bytes.get(id) ?? 0);
      const average = values.reduce((sum, one) => sum + one, 0) / values.length;
      const text = of.map((id) => `broker ${id} ${gb(bytes.get(id) ?? 0)} GB`).join(', ');
      return { text, least: Math.min(...values) / average, most: Math.max(...values) / average };
    };

    before(async () => {
      balanced = await startBalanced({ namespace: `rebalance-${process.pid}`, brokers: 3, storage: '2Gi' });
      const { tools } = balanced;
      const three = Array.from({ length: partitions }, (_, i) => [i % 3, (i + 1) % 3, (i + 2) % 3]);
      const made = async (topic: string, records: number) => {
        await tools.createTopic(topic, onFirst(partitions), ['min.insync.replicas=1']);
        await tools.fill(topic, records, recordBytes);
      };
      await Promise.all([
        tools.createTopic('live', three),
        ...Object.entries(filled).map(([topic, records]) => made(topic, records)),
      ]);
      live = await startLiveWorkload(tools, { topic: 'live', perSecond: 100 });
    });
    after(() => balanced?.[Symbol.asyncDispose]());

    test('two brokers that come are filled by add-brokers, and nothing else moves', async (t) => {
      const { admin, brokers, kubectl } = balanced;
      await kubectl('scale', `statefulset/${kafka}`, '--replicas=5');
      await brokers.ready(240_000);
      await until('both are registered', async () => (await admin.describeCluster()).brokers.length === 5);
      const configured = await balanced.settings();
      const before = await balanced.places();
      const from = performance.now();
      await balanced.create('fill', {
        mode: 'add-brokers',
        brokers: [3, 4],
        concurrency: { movesPerBroker: 20 },
      });
      const { summary } = await balanced.inPhase('fill', 'Proposed');
      t.diagnostic(
        `proposed after ${((performance.now() - from) / 1000).toFixed(1)} s: ${JSON.stringify(summary)}`,
      );
      await balanced.cli('rebalance', 'approve', 'fill', '--yes');
      const { message, progress } = await balanced.inPhase('fill', 'Done');
      t.diagnostic(
        `${message}: ${progress?.summary}, ${((performance.now() - from) / 1000).toFixed(0)} s in all`,
      );
      for (const [key, replicas] of await balanced.places()) {
        const added = replicas.filter((id) => !before.get(key)?.includes(id));
        assert.ok(
          added.every((id) => id >= 3),
          `${key} came to ${added.join()}`,
        );
      }
      const after = spread(await balanced.bytesOn());
      t.diagnostic(`${before.size} partitions; now ${after.text}`);
      assert.ok(after.least > 0.85, `${after.least} of the average`);
      assert.deepEqual(await balanced.settings(), configured);
      assert.deepEqual(await admin.listReassignments(), []);
    });

    test('skewed topics are balanced: every broker within the band, with about the least data moved', async (t) => {
      const { admin, tools } = balanced;
      // Everything new lies on the first three brokers, and much of it in six partitions.
      const made = async (topic: string, count: number, records: number) => {
        await tools.createTopic(topic, onFirst(count), ['min.insync.replicas=1']);
        await tools.fill(topic, records, recordBytes);
      };
      await Promise.all([made('skewed', partitions, 60_000), made('hot', 6, 40_000)]);
      const configured = await balanced.settings();
      const before = spread(await balanced.bytesOn());
      t.diagnostic(`before: ${before.text}`);
      assert.ok(before.most > 1.15);
      await balanced.create('skew', { mode: 'balance', concurrency: { movesPerBroker: 20 } });
      const { summary } = await balanced.inPhase('skew', 'Proposed');
      t.diagnostic(JSON.stringify(summary));
      assert.ok((summary?.ratio ?? 1) <= 1.15, `ratio ${summary?.ratio}`);
      const from = performance.now();
      await balanced.approve('skew');
      const { message } = await balanced.inPhase('skew', 'Done');
      const after = spread(await balanced.bytesOn());
      t.diagnostic(`${message} after ${((performance.now() - from) / 1000).toFixed(0)} s: ${after.text}`);
      assert.ok(after.least >= 0.9 && after.most <= 1.1, `${after.least} to ${after.most} of the average`);
      assert.deepEqual(await balanced.settings(), configured);
      assert.deepEqual(await admin.listReassignments(), []);
    });

    test('remove-brokers leaves nothing on a broker, of any topic', async (t) => {
      const { admin } = balanced;
      const configured = await balanced.settings();
      await balanced.create('empty', {
        mode: 'remove-brokers',
        brokers: [4],
        concurrency: { movesPerBroker: 20 },
      });
      await balanced.approve('empty');
      const { message, progress } = await balanced.inPhase('empty', 'Done');
      t.diagnostic(`${message}: ${progress?.summary}`);
      const left = [...(await balanced.places())].filter(([, replicas]) => replicas.includes(4));
      assert.deepEqual(left, []);
      assert.deepEqual(await balanced.settings(), configured);
      assert.deepEqual(await admin.listReassignments(), []);
      const after = spread(await balanced.bytesOn(), [0, 1, 2, 3]);
      t.diagnostic(after.text);
    });

    test('the application beside it lost and missed nothing', async (t) => {
      t.diagnostic(JSON.stringify(await live.end()));
    });
  },
);
