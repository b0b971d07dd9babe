import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { readPlan } from '../../src/sidecar/rebalance/plan-store.ts';
import { type Balanced, startBalanced } from './balanced.ts';
import { killAgainAndAgain } from './killed-again.ts';
import { type LiveWorkload, startLiveWorkload } from './live-workload.ts';
import { until } from './until.ts';

const topics = ['orders', 'payments', 'clicks', 'audit', 'stock'];

/** How large the cluster is that is balanced, and how often the sidecar is killed meanwhile. */
export interface Balancing {
  namespace: string;
  /** Brokers to which one more comes. */
  brokers: number;
  /** Of each of the five topics. */
  partitions: number;
  /** Of 1 KiB, of each topic. */
  records: number;
  kills: number;
  /** Of the first plan; all copies together take tens of seconds with it. */
  throttle: string;
}

/** One hardened cluster to which a broker comes: proposed, approved, carried out, killed, stopped, drifted. */
export function balancing({
  namespace,
  brokers: old,
  partitions,
  records,
  kills,
  throttle,
}: Balancing): void {
  const ids = Array.from({ length: old }, (_, id) => id);
  /** The broker that comes. */
  const added = old;
  let balanced: Balanced;
  let live: LiveWorkload;

  const replicasOn = async (id: number) =>
    [...(await balanced.places())].filter(([key, replicas]) => !key.startsWith('__') && replicas.includes(id))
      .length;

  before(async () => {
    balanced = await startBalanced({ namespace, brokers: old + 1 });
    const { tools } = balanced;
    // The broker that has come holds nothing.
    const onOld = Array.from({ length: partitions }, (_, i) => [0, 1, 2].map((k) => (i + k) % old));
    await tools.createTopic('live', onOld);
    for (const topic of topics) {
      await tools.createTopic(topic, onOld);
      await tools.fill(topic, records);
    }
    live = await startLiveWorkload(tools, { topic: 'live', perSecond: 100 });
  });
  after(() => balanced?.[Symbol.asyncDispose]());

  test('a proposal tells within seconds what would move, and how near to the least that is', async (t) => {
    const from = performance.now();
    await balanced.create('fill', {
      mode: 'add-brokers',
      brokers: [added],
      throttle: { bytesPerSecond: throttle },
      concurrency: { movesPerBroker: 10 },
    });
    const { summary, plan } = await balanced.inPhase('fill', 'Proposed');
    t.diagnostic(
      `proposed after ${((performance.now() - from) / 1000).toFixed(1)} s: ${JSON.stringify(summary)}`,
    );
    assert.ok(summary && summary.bytesToMove > 0 && summary.replicaMoves > 0);
    assert.ok(summary.boundShare !== undefined);
    // A plan that cannot bring all into the band, here for the racks' sake, has nothing to be compared with.
    assert.ok((summary.ratio ?? 1) >= 0.999, `ratio ${summary.ratio}`);
    assert.match(summary.confidence ?? '', /log directories/);
    assert.equal(plan?.hash.length, 64);
    assert.match(await balanced.cli('rebalance', 'status', 'fill'), /Proposed/);
  });

  test('another hash approves nothing', async () => {
    const another = `kafka-warden.io/approve=${'0'.repeat(64)}`;
    await balanced.kubectl('annotate', 'kafkarebalance', 'fill', another);
    await until('it is said', async () => {
      const { status } = await balanced.rebalance('fill');
      return status?.reason === 'StaleApproval';
    });
    assert.equal(await replicasOn(added), 0);
  });

  test('the approved plan is carried out, whenever the sidecar is killed; throttles are as before', async (t) => {
    const configured = await balanced.settings();
    const plan = await readPlan(balanced.kube, await balanced.rebalance('fill'));
    const expected = await balanced.places();
    await balanced.cli('rebalance', 'approve', 'fill', '--yes');
    await balanced.inPhase('fill', 'Executing');
    const tell = (line: string) => t.diagnostic(line);
    await killAgainAndAgain(balanced, { name: 'fill', kills, tell });
    const { message, progress } = await balanced.inPhase('fill', 'Done');
    t.diagnostic(`${message}: ${JSON.stringify(progress)}`);
    assert.deepEqual(await balanced.settings(), configured);
    assert.deepEqual(await balanced.admin.listReassignments(), []);
    for (const move of plan.moves) expected.set(`${move.topic}-${move.partition}`, move.to);
    assert.deepEqual(await balanced.places(), expected, 'exactly the approved plan, and nothing else');
    assert.ok((await replicasOn(added)) > 0);
  });

  test('a stop takes back what is under way, and leaves no throttle', async () => {
    const { admin } = balanced;
    const configured = await balanced.settings();
    const spec = { mode: 'remove-brokers', brokers: [added], throttle: { bytesPerSecond: '200k' } };
    await balanced.create('empty', spec);
    await balanced.approve('empty');
    await until('copies are under way', async () => (await admin.listReassignments()).length > 0);
    await balanced.cli('rebalance', 'stop', 'empty');
    const { message } = await balanced.inPhase('empty', 'Stopped');
    assert.match(message ?? '', /taken back/);
    assert.deepEqual(await admin.listReassignments(), []);
    assert.deepEqual(await balanced.settings(), configured);
  });

  test('a plan of another cluster is proposed again, with the difference', async () => {
    const { admin, kubectl } = balanced;
    await balanced.create('again', { mode: 'remove-brokers', brokers: [added] });
    const { plan } = await balanced.inPhase('again', 'Proposed');
    const [moved] = (await admin.topics(['audit'])).flatMap((topic) =>
      topic.partitions.filter(({ replicas }) => replicas.includes(added)),
    );
    assert.ok(moved);
    const [first, ...rest] = moved.replicas;
    const elsewhere = [...rest, first!];
    await admin.alterReassignments([{ topic: 'audit', partition: moved.index, replicas: elsewhere }]);
    await kubectl('annotate', 'kafkarebalance', 'again', `kafka-warden.io/approve=${plan?.hash}`);
    const drifted = await until('it is proposed again', async () => {
      const { status } = await balanced.rebalance('again');
      return status?.phase === 'Proposed' && status.plan?.hash !== plan?.hash && status;
    });
    assert.match(
      `${drifted.message} ${JSON.stringify(drifted.drift)}`,
      new RegExp(`audit-${moved.index} was on`),
    );
    await kubectl('delete', 'kafkarebalance', 'again');
  });

  test('a plan from elsewhere is executed, and a broker killed meanwhile loses nothing', async () => {
    const first = async () => (await balanced.places()).get('stock-0') ?? assert.fail();
    const now = await first();
    const absent = [...ids, added].filter((id) => !now.includes(id));
    const replicas = [...absent, ...now].slice(0, 3);
    await balanced.configMap('given', {
      version: 1,
      partitions: [{ topic: 'stock', partition: 0, replicas }],
    });
    await balanced.create('given', { plan: { configMap: 'given' }, throttle: { bytesPerSecond: '100k' } });
    await balanced.approve('given');
    await balanced.inPhase('given', 'Executing', 'Done');
    await balanced.cluster.killProcessOf('kafka-2', namespace);
    await balanced.inPhase('given', 'Done');
    assert.deepEqual(await first(), replicas);
  });

  test('the application beside it lost and missed nothing', async (t) => {
    t.diagnostic(JSON.stringify(await live.end()));
  });
}
