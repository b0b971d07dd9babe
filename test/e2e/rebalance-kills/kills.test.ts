import assert from 'node:assert/strict';
import { type TestContext, after, before, suite, test } from 'node:test';
import { readPlan } from '../../../src/sidecar/rebalance/plan-store.ts';
import { clusterUnavailable } from '../../cluster/index.ts';
import { type Balanced, fillFour, startBalanced } from '../../support/balanced.ts';
import { killAgainAndAgain } from '../../support/killed-again.ts';
import { type LiveWorkload, startLiveWorkload } from '../../support/live-workload.ts';

const kills = 20;
const topics = ['orders', 'payments', 'clicks', 'audit', 'stock'];
const partitions = 60;
/** Of 1 KiB, in each topic. */
const records = 20_000;
/** Of 5 MB: a follower fetches 1 MB of a partition before any throttle stops it, so smaller ones are copied at once. */
const large = { partitions: 12, records: 60_000 };

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
      await fillFour(tools, { topics, partitions, records, large });
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

    /** One plan with kills until it is done. Returns how many there were, and how many sidecars said that they go on. */
    const carriedOut = async (
      t: TestContext,
      name: string,
      { mode, left }: { mode: string; left: number },
    ) => {
      const { admin, kube } = balanced;
      const throttle = { bytesPerSecond: '1M' };
      await balanced.create(name, { mode, brokers: [4], throttle, concurrency: { movesPerBroker: 10 } });
      const { summary } = await balanced.inPhase(name, 'Proposed');
      t.diagnostic(`${name}: ${summary?.move} in ${summary?.replicaMoves} replicas`);
      const configured = await balanced.settings();
      assert.ok(configured.some((one) => one.includes('leader.replication.throttled.rate=123456789')));
      const plan = await readPlan(kube, await balanced.rebalance(name));
      const expected = await balanced.places();
      await balanced.approve(name);
      await balanced.inPhase(name, 'Executing');
      const tell = (line: string) => t.diagnostic(line);
      const killed = await killAgainAndAgain(balanced, { name, kills: left, tell });
      const { message, progress } = await balanced.inPhase(name, 'Done');
      t.diagnostic(`${message}: ${progress?.summary}; ${JSON.stringify(killed)}`);
      assert.deepEqual(await balanced.settings(), configured);
      assert.deepEqual(await admin.listReassignments(), []);
      for (const move of plan.moves) expected.set(`${move.topic}-${move.partition}`, move.to);
      assert.deepEqual(await balanced.places(), expected, 'exactly the approved plan, and nothing else');
      return killed;
    };

    test('each is resumed; in the end exactly the plans are done and every throttle setting as before', async (t) => {
      let [killed, resumed] = [0, 0];
      // The fifth broker is filled and emptied in turn until the sidecar was killed often enough.
      for (let round = 1; killed < kills; round++) {
        const mode = round % 2 === 1 ? 'add-brokers' : 'remove-brokers';
        const one = await carriedOut(t, `round-${round}`, { mode, left: kills - killed });
        killed += one.kills;
        resumed += one.resumed;
      }
      // Every fifth kill comes before the sidecar has said anything, and a plan may end while one starts.
      assert.ok(resumed >= kills / 2, `${resumed} said that they go on`);
    });

    test('the application beside it lost and missed nothing', async (t) => {
      t.diagnostic(JSON.stringify(await live.end()));
    });
  },
);
