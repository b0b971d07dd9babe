import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { readPlan } from '../../../src/sidecar/rebalance/plan-store.ts';
import { clusterUnavailable } from '../../cluster/index.ts';
import { type Balanced, startBalanced } from '../../support/balanced.ts';
import { killAgainAndAgain } from '../../support/killed-again.ts';
import { type LiveWorkload, startLiveWorkload } from '../../support/live-workload.ts';

const kills = 20;
const topics = ['orders', 'payments', 'clicks', 'audit', 'stock'];
const partitions = 60;
/** Of 1 KiB, in each topic. */
const records = 80_000;

void suite(
  'a balancing whose sidecar is killed 20 times at random moments',
  { skip: clusterUnavailable() ?? false },
  () => {
    let balanced: Balanced;
    let live: LiveWorkload;

    before(async () => {
      balanced = await startBalanced({ namespace: `kills-${process.pid}`, brokers: 5 });
      const { tools, admin } = balanced;
      // The fifth broker holds nothing.
      const onFour = Array.from({ length: partitions }, (_, i) => [i % 4, (i + 1) % 4, (i + 2) % 4]);
      await tools.createTopic('live', onFour);
      for (const topic of topics) {
        await tools.createTopic(topic, onFour);
        await tools.fill(topic, records);
      }
      // Settings that were there before: they are to be found again.
      await admin.alterManyConfigs([
        {
          resource: { type: 'broker', name: '0' },
          changes: [{ name: 'leader.replication.throttled.rate', set: '123456789' }],
        },
        {
          resource: { type: 'topic', name: 'orders' },
          changes: [{ name: 'leader.replication.throttled.replicas', set: '0:0,1:1' }],
        },
      ]);
      live = await startLiveWorkload(tools, { topic: 'live', perSecond: 100 });
    });
    after(() => balanced?.[Symbol.asyncDispose]());

    test('each is resumed; in the end exactly the plan is done and every throttle setting as before', async (t) => {
      const { admin, kube } = balanced;
      await balanced.create('fill', {
        mode: 'add-brokers',
        brokers: [4],
        throttle: { bytesPerSecond: '700k' },
        concurrency: { movesPerBroker: 10 },
      });
      const { summary } = await balanced.inPhase('fill', 'Proposed');
      t.diagnostic(JSON.stringify(summary));
      const configured = await balanced.settings();
      assert.ok(configured.some((one) => one.includes('leader.replication.throttled.rate=123456789')));
      const plan = await readPlan(kube, await balanced.rebalance('fill'));
      const expected = await balanced.places();
      await balanced.approve('fill');
      await balanced.inPhase('fill', 'Executing');
      const killed = await killAgainAndAgain(balanced, {
        name: 'fill',
        kills,
        tell: (line) => t.diagnostic(line),
      });
      const { message, progress } = await balanced.inPhase('fill', 'Done');
      t.diagnostic(`${message}: ${progress?.summary}; ${JSON.stringify(killed)}`);
      assert.deepEqual(await balanced.settings(), configured);
      assert.deepEqual(await admin.listReassignments(), []);
      for (const move of plan.moves) expected.set(`${move.topic}-${move.partition}`, move.to);
      assert.deepEqual(await balanced.places(), expected, 'exactly the approved plan, and nothing else');
      assert.equal(killed.kills, kills, 'the plan was done before all kills: make it slower');
      // Every fifth kill came before the sidecar had said anything.
      assert.ok(killed.resumed >= kills * 0.75, `${killed.resumed} said that they go on`);
    });

    test('the application beside it lost and missed nothing', async (t) => {
      t.diagnostic(JSON.stringify(await live.end()));
    });
  },
);
