import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { clusterUnavailable } from '../../cluster/index.ts';
import { type Balanced, fillFour, startBalanced } from '../../support/balanced.ts';
import { type LiveWorkload, startLiveWorkload } from '../../support/live-workload.ts';
import { until } from '../../support/until.ts';

const topics = ['orders', 'payments', 'clicks', 'audit', 'stock'];
const partitions = 60;
/** Of 1 KiB, in each topic. */
const records = 20_000;
/** Of 4 MB: a follower fetches 1 MB of a partition before any throttle stops it, so smaller ones are copied at once. */
const large = { partitions: 12, records: 48_000 };

void suite('balancings that are disturbed', { skip: clusterUnavailable() ?? false }, () => {
  let balanced: Balanced;
  let live: LiveWorkload;
  let configured: string[];

  before(async () => {
    balanced = await startBalanced({ namespace: `faults-${process.pid}`, brokers: 4 });
    const { tools } = balanced;
    await fillFour(tools, { topics, partitions, records, large });
    live = await startLiveWorkload(tools, { topic: 'live', perSecond: 100 });
    configured = await balanced.settings();
  });
  after(() => balanced?.[Symbol.asyncDispose]());

  const placesOf = async (topic: string) =>
    new Map([...(await balanced.places())].filter(([key]) => key.slice(0, key.lastIndexOf('-')) === topic));
  /** The last replica of each partition of a topic goes to the broker that has none of it. */
  const turned = async (topic: string) => {
    const places = await placesOf(topic);
    const moved = [...places].map(([key, [first, second, third]]) => {
      const to = [0, 1, 2, 3].find((id) => id !== first && id !== second && id !== third);
      return { topic, partition: Number(key.slice(topic.length + 1)), replicas: [first!, second!, to!] };
    });
    return { places, plan: { version: 1, partitions: moved } };
  };
  const expected = ({
    partitions: all,
  }: {
    partitions: { topic: string; partition: number; replicas: number[] }[];
  }) => new Map(all.map(({ topic, partition, replicas }) => [`${topic}-${partition}`, replicas]));
  const started = async (name: string, topic: string, bytesPerSecond: string) => {
    const { places, plan } = await turned(topic);
    await balanced.configMap(name, plan);
    await balanced.create(name, { plan: { configMap: name }, throttle: { bytesPerSecond } });
    await balanced.approve(name);
    await copying();
    return { places, plan };
  };
  const copying = () =>
    until('copies are under way', async () => (await balanced.admin.listReassignments()).length > 0);
  /** Nothing of a balancing is left in Kafka. */
  const nothingLeft = async () => {
    assert.deepEqual(await balanced.admin.listReassignments(), []);
    assert.deepEqual(await balanced.settings(), configured);
  };

  test('a stop takes back what is under way, and leaves no throttle', async (t) => {
    const { places } = await started('stopped', 'large', '100k');
    await balanced.cli('rebalance', 'stop', 'stopped');
    const { message } = await balanced.inPhase('stopped', 'Stopped');
    t.diagnostic(message ?? '');
    assert.match(message ?? '', /[1-9]\d* moves under way were taken back/);
    const now = await placesOf('large');
    assert.ok([...now].some(([key, ids]) => String(ids) === String(places.get(key))));
    await nothingLeft();
  });

  test('a plan approved for a cluster that has changed since is not begun, and proposed with the difference', async (t) => {
    const { admin, kubectl } = balanced;
    await balanced.create('again', { mode: 'remove-brokers', brokers: [3] });
    const { plan } = await balanced.inPhase('again', 'Proposed');
    const [key, replicas] = [...(await placesOf('audit'))].find(([, ids]) => ids.includes(3))!;
    const partition = Number(key.slice('audit-'.length));
    const [first, ...rest] = replicas;
    await admin.alterReassignments([{ topic: 'audit', partition, replicas: [...rest, first!] }]);
    await kubectl('annotate', 'kafkarebalance', 'again', `kafka-warden.io/approve=${plan?.hash}`);
    const drifted = await until('it is proposed again', async () => {
      const { status } = await balanced.rebalance('again');
      return status?.phase === 'Proposed' && status.plan?.hash !== plan?.hash && status;
    });
    t.diagnostic(drifted.message ?? '');
    assert.match(`${drifted.message} ${JSON.stringify(drifted.drift)}`, new RegExp(`${key} was on`));
    await kubectl('delete', 'kafkarebalance', 'again');
    await nothingLeft();
  });

  test('a plan of kafka-reassign-partitions is carried out by kafka-warden rebalance execute', async (t) => {
    const { tools, cli } = balanced;
    const said = await tools.shell(
      `echo '{"version":1,"topics":[{"topic":"stock"}]}' > /tmp/topics.json
       kafka-reassign-partitions.sh $SERVER --command-config $CONFIG --generate --topics-to-move-json-file /tmp/topics.json --broker-list 0,1,2,3`,
    );
    const text = said.trim().split('\n').at(-1)!;
    const folder = await mkdtemp(join(tmpdir(), 'kafka-warden-plan-'));
    const file = join(folder, 'plan.json');
    await writeFile(file, text);
    t.diagnostic(await cli('rebalance', 'execute', '-f', file, '--name', 'theirs', '--approve', '--yes'));
    await rm(folder, { recursive: true });
    await balanced.inPhase('theirs', 'Done');
    assert.deepEqual(await placesOf('stock'), expected(JSON.parse(text) as Parameters<typeof expected>[0]));
    const verified = await tools.shell(
      `echo '${text}' > /tmp/plan.json
       kafka-reassign-partitions.sh $SERVER --command-config $CONFIG --verify --preserve-throttles --reassignment-json-file /tmp/plan.json`,
    );
    assert.equal(verified.match(/is completed/g)?.length, partitions, verified);
    await nothingLeft();
  });

  test('a broker that is killed in mid-plan holds it up until it is back, and the plan is finished', async (t) => {
    const { cluster, namespace, brokers } = balanced;
    const { plan } = await started('through-a-loss', 'large', '200k');
    const waits = await until('the plan says whom it waits for', async () => {
      // A broker that restarts at once may be back before anybody has missed it.
      await cluster.killProcessOf('kafka-2', namespace).catch(() => undefined);
      const { status } = await balanced.rebalance('through-a-loss');
      const { waitingFor = '' } = status?.progress ?? {};
      return /broker 2|in sync/.test(waitingFor) && waitingFor;
    });
    t.diagnostic(waits);
    await balanced.inPhase('through-a-loss', 'Done');
    await brokers.ready();
    assert.deepEqual(await placesOf('large'), expected(plan));
    await nothingLeft();
  });

  test('a KafkaRebalance that is deleted in mid-plan is taken back, also by a sidecar that starts then', async () => {
    const { kubectl, killSidecar } = balanced;
    for (const restart of [false, true]) {
      const name = restart ? 'deleted-and-killed' : 'deleted';
      const { places } = await started(name, 'large', '100k');
      await kubectl('delete', 'kafkarebalance', name, '--wait=true');
      if (restart) await killSidecar();
      await until(
        'nothing is under way',
        async () => (await balanced.admin.listReassignments()).length === 0,
      );
      await until('the record is given back', async () => !(await record()).includes('"holder"'));
      await nothingLeft();
      const now = await placesOf('large');
      assert.ok([...now].some(([key, ids]) => String(ids) === String(places.get(key))));
    }
  });

  test('a disruption record that is deleted in mid-plan is written again, and the plan goes on', async () => {
    const { plan } = await started('record', 'large', '200k');
    await balanced.kubectl('delete', 'configmap', 'kafka-kafka-disruption');
    await until('it is there again, and held', async () => (await record()).includes('"rebalance"'));
    await balanced.inPhase('record', 'Done');
    assert.deepEqual(await placesOf('large'), expected(plan));
    await nothingLeft();
  });

  const record = () =>
    balanced.kubectl('get', 'configmap', 'kafka-kafka-disruption', '-o', 'jsonpath={.data.record}');

  test('whoever may edit a KafkaRebalance may approve its plan only with the verb approve', async (t) => {
    const { kubectl } = balanced;
    const role = (name: string) =>
      kubectl('create', 'rolebinding', name, `--clusterrole=${name}`, '--user=alice');
    const { plan } = await turned('audit');
    await balanced.configMap('guarded', plan);
    await balanced.create('guarded', { plan: { configMap: 'guarded' } });
    const { plan: proposed } = await balanced.inPhase('guarded', 'Proposed');
    await role('kafka-warden-edit');
    const approval = `kafka-warden.io/approve=${proposed?.hash}`;
    const approve = () => kubectl('annotate', 'kafkarebalance', 'guarded', approval, '--as=alice');
    const refused = await approve().then(
      () => assert.fail('it was approved'),
      (error: Error) => error.message,
    );
    t.diagnostic(refused.trim().split('\n').at(-1) ?? '');
    assert.match(refused, /needs the verb approve on kafkarebalances/);
    const widened = kubectl(
      ...['patch', 'kafkarebalance', 'guarded', '--type=merge', '--as=alice'],
      ...['-p', '{"spec":{"plan":null,"autoApprove":{"maxBytes":"1Gi"}}}'],
    );
    await assert.rejects(widened, /needs the verb approve on/);
    // What needs no approval is hers to do.
    await kubectl('annotate', 'kafkarebalance', 'guarded', 'example.com/note=mine', '--as=alice');
    await role('kafka-warden-rebalance-approve');
    await until('the right has come', approve);
    await balanced.inPhase('guarded', 'Done');
    assert.deepEqual(await placesOf('audit'), expected(plan));
    await nothingLeft();
  });

  test('the application beside it lost and missed nothing', async (t) => {
    t.diagnostic(JSON.stringify(await live.end()));
  });
});
