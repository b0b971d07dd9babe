import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, beforeEach, suite, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import type { ClusterModel } from '../../balance/index.ts';
import { clusterOf } from '../../balance/test/generate.ts';
import { paths } from '../../kubernetes/paths.ts';
import { memoryApi, serveMemoryApi } from '../../kubernetes/test/memory-api.ts';
import { keys } from '../../names.ts';
import { planOf } from '../../sidecar/rebalance/given-plan.ts';
import type { KafkaRebalance, RebalanceStatus } from '../../sidecar/rebalance/kafka-rebalance.ts';
import { preparePlan, type StoredConfigMap } from '../../sidecar/rebalance/plan-chunks.ts';
import { storePlan } from '../../sidecar/rebalance/plan-store.ts';
import { file, kafkaWarden } from '../test/session.ts';

const hash = 'ab'.repeat(32);
const outside = { disk: 2, networkIn: 1, replicas: 0, networkOut: 0, leaders: 1 };
const proposed: RebalanceStatus = {
  phase: 'Proposed',
  mode: 'balance',
  reason: 'Proposed',
  message: '12.4 GiB to move: to approve it, run kafka-warden rebalance approve monday',
  plan: { hash, chunks: 1, partitions: 37, createdAt: '2026-11-23T11:00:00Z', settings: 's' },
  summary: {
    move: '12.4 GiB',
    bytesToMove: 13_314_398_617,
    shareToMove: 0.042,
    boundShare: 0.041,
    ratio: 1.02,
    replicaMoves: 37,
    leaderChanges: 4,
    outsideBefore: outside,
    outsideAfter: { ...outside, disk: 0, networkIn: 0, leaders: 0 },
    estimatedSeconds: 840,
  },
};

const api = memoryApi();
let kubeconfig = '';
let close = () => {};
/** What the sidecar of these tests makes of a new KafkaRebalance; nothing, where there is none. */
let sidecar: ((rebalance: KafkaRebalance) => RebalanceStatus | undefined) | undefined;

before(async () => {
  const served = await serveMemoryApi(api);
  kubeconfig = file('kubeconfig', served.kubeconfig);
  close = served.close;
});
after(() => close());

beforeEach(() => {
  api.objects.clear();
  delete api.refuse;
  sidecar = () => proposed;
  const place = { namespace: 'shop', name: 'kafka' };
  api.put(paths.kafkaclusters('shop', 'kafka'), {
    apiVersion: 'kafka-warden.io/v1alpha1',
    kind: 'KafkaCluster',
    metadata: place,
  });
  api.onWrite = (path, object) => {
    const rebalance = object as unknown as KafkaRebalance;
    const status =
      rebalance.kind === 'KafkaRebalance' && !rebalance.status ? sidecar?.(rebalance) : undefined;
    if (status !== undefined) api.objects.set(path, { ...object, status });
  };
});

const rebalance = (...args: string[]) => kafkaWarden('rebalance', ...args, '--kubeconfig', kubeconfig);
const stored = (name: string) =>
  api.objects.get(paths.kafkarebalances('shop', name)) as unknown as KafkaRebalance;
const existing = async (name: string, status?: RebalanceStatus) => {
  sidecar = () => status;
  await rebalance('propose', '--name', name, '--no-wait');
};

suite('rebalance propose', () => {
  test('creates the object, waits, and shows the plan and how to go on', async () => {
    const { code, out, err } = await rebalance(
      'propose',
      '--name',
      'monday',
      '--mode',
      'add-brokers',
      '--brokers',
      '4,5',
      '--throttle',
      '20M',
      '--exclude-topic',
      'audit',
    );
    assert.equal(code, 0, err);
    assert.deepEqual(stored('monday').spec, {
      cluster: 'kafka',
      mode: 'add-brokers',
      brokers: [4, 5],
      throttle: { bytesPerSecond: '20M' },
      excludedTopics: ['audit'],
    });
    assert.match(out, /^shop\/monday {2}Proposed\n/);
    assert.match(out, /moves +12\.4 GiB in 37 replicas, 4\.2% of all data; about 14m\n/);
    assert.match(out, /minimum +4\.1% proven \(this plan: 1\.02 times that\)\n/);
    assert.match(out, /outside +disk 2 → 0, networkIn 1 → 0/);
    assert.match(out, /plan +abababababab, 37 partitions/);
    assert.match(err, /To carry it out: kafka-warden rebalance approve monday -n shop\n/);
  });

  test('names the object by itself, and prints the name alone where it does not wait', async () => {
    const { code, out } = await rebalance('propose', '--no-wait');
    assert.equal(code, 0);
    assert.match(out, /^kafka-\d+\n$/);
    assert.equal(stored(out.trim()).spec.cluster, 'kafka');
  });

  test('prints the object as JSON', async () => {
    const { out } = await rebalance('propose', '--name', 'monday', '--json');
    assert.equal((JSON.parse(out) as KafkaRebalance).status?.plan?.hash, hash);
  });

  test('says what it waits for, and gives up in time', async () => {
    sidecar = () => ({ phase: 'Proposing', reason: 'BrokerAway', message: 'broker 3 is away' });
    const { code, err } = await rebalance('propose', '--name', 'monday', '--timeout', '1s');
    assert.equal(code, 2);
    assert.match(err, /Proposing: broker 3 is away\n/);
    assert.match(
      err,
      /error: KafkaRebalance monday has no plan yet .*rebalance status monday shows it later/,
    );
  });

  test('ends with 3 where the sidecar cannot use the spec, with field and remedy', async () => {
    const message = 'spec.brokers: the cluster has no broker 9; name another';
    sidecar = () => ({ phase: 'New', reason: 'InvalidSpec', message });
    const { code, err } = await rebalance('propose', '--name', 'monday');
    assert.equal(code, 3);
    assert.match(err, /error: KafkaRebalance monday: spec\.brokers: the cluster has no broker 9/);
  });

  test('refuses what cannot be, before anything is created', async () => {
    const cases: [string[], RegExp][] = [
      [['--mode', 'remove-brokers'], /spec\.brokers: is empty; name the brokers to empty/],
      [['--throttle', 'fast'], /--throttle fast is no amount\. Write 500, 20M or 1\.5Gi/],
      [['--brokers', 'x'], /--brokers x is not a number/],
      [['--timeout', 'soon'], /Write 90s, 5m or 1h/],
      [['--tolerance', '0.3', '--trigger', '0.2'], /spec\.trigger: 0\.2 is below the tolerance 0\.3/],
      [['--cluster', 'other'], /There is no cluster other in the namespace shop\. Known: kafka\./],
    ];
    for (const [args, message] of cases) {
      const { code, err } = await rebalance('propose', '--name', 'monday', ...args);
      assert.equal(code, 2);
      assert.match(err, message);
      assert.equal(stored('monday'), undefined);
    }
    await existing('monday');
    assert.match(
      (await rebalance('propose', '--name', 'monday')).err,
      /is there already; give another --name/,
    );
  });

  test('asks which cluster where there are several, and says where kafka-warden is not installed', async () => {
    api.put(paths.kafkaclusters('shop', 'second'), { kind: 'KafkaCluster', metadata: { name: 'second' } });
    assert.match(
      (await rebalance('propose')).err,
      /Name the cluster with --cluster\. Known: kafka, second\./,
    );
    api.refuse = () => ({
      status: 404,
      body: { kind: 'Status', reason: 'NotFound', message: 'no such page' },
    });
    assert.match((await rebalance('list')).err, /knows no KafkaRebalance: kafka-warden is not installed/);
  });
});

suite('rebalance approve', () => {
  test('shows the plan and writes its whole hash', async () => {
    await existing('monday', proposed);
    const { code, out, err } = await rebalance('approve', 'monday', '--yes');
    assert.equal(code, 0, err);
    assert.match(out, /12\.4 GiB in 37 replicas/);
    assert.equal(stored('monday').metadata.annotations?.[keys.approve], hash);
    assert.match(
      err,
      /The plan abababababab is approved\. To watch it: kafka-warden rebalance status monday -n shop --watch/,
    );
    assert.match((await rebalance('approve', 'monday')).err, /is approved already/);
  });

  test('approves nothing where nobody can be asked', { skip: process.stdin.isTTY }, async () => {
    await existing('monday', proposed);
    const { code, err } = await rebalance('approve', 'monday');
    assert.equal(code, 2);
    assert.match(err, /Nothing was approved: --yes approves the plan of monday as it is shown/);
    assert.equal(stored('monday').metadata.annotations?.[keys.approve], undefined);
  });

  test('approves nothing that is not there: no plan, an end, no object', async () => {
    await existing('early', { phase: 'Proposing', reason: 'Drifted', message: 'orders-3 has moved' });
    await existing('late', { ...proposed, phase: 'Done' });
    const cases: [string, number, RegExp][] = [
      ['early', 3, /has no plan to approve yet \(Drifted: orders-3 has moved\)/],
      ['late', 3, /late is Done: create another one/],
      ['none', 2, /no KafkaRebalance none in the namespace shop\. Known: early, late/],
    ];
    for (const [name, expected, message] of cases) {
      const { code, err } = await rebalance('approve', name, '--yes');
      assert.equal(code, expected);
      assert.match(err, message);
    }
  });

  test('says which right is missing', async () => {
    await existing('monday', proposed);
    api.refuse = ({ method }) =>
      method === 'PATCH'
        ? { status: 403, body: { kind: 'Status', reason: 'Forbidden', message: 'needs the verb approve' } }
        : undefined;
    const { code, err } = await rebalance('approve', 'monday', '--yes');
    assert.equal(code, 2);
    assert.match(
      err,
      /Not allowed to approve KafkaRebalances \(the ClusterRole kafka-warden-rebalance-approve gives the right to\): needs the verb approve/,
    );
  });
});

suite('rebalance stop, status and list', () => {
  test('stop sets the annotation, and says so where there is nothing to stop', async () => {
    await existing('monday', { ...proposed, phase: 'Executing' });
    assert.match(
      (await rebalance('stop', 'monday')).err,
      /is asked to stop\. What is under way is taken back/,
    );
    assert.equal(stored('monday').metadata.annotations?.[keys.stop], 'true');
    await existing('tuesday', { phase: 'Stopped' });
    assert.match((await rebalance('stop', 'tuesday')).err, /tuesday is Stopped already/);
  });

  test('status shows progress, refusals and the difference from the plan before', async () => {
    const progress = {
      summary: '45%',
      eta: '3m',
      bytesMoved: 45e9,
      bytesTotal: 100e9,
      bytesPerSecond: 2e7,
      moved: 12,
      total: 37,
      underWay: 2,
      waitingFor: 'broker 2 to be in sync',
    };
    const refused = [{ topic: 'orders', partition: 3, reason: 'was on 1,2' }];
    const drift = { hash: 'cd'.repeat(32), count: 1, examples: ['orders-3 was on 1,2 and is on 2,4'] };
    await existing('monday', {
      ...proposed,
      phase: 'Executing',
      progress,
      refused,
      refusedCount: 4,
      drift,
      approval: { hash, by: 'autoApprove', at: '2026-11-23T11:00:00Z' },
    });
    const { code, out } = await rebalance('status');
    assert.equal(code, 0);
    assert.match(
      out,
      /progress +45%: 41\.9 GiB of 93\.1 GiB at 19\.1 MiB\/s, 12 of 37 partitions, 3m left\n/,
    );
    assert.match(out, /waits for +broker 2 to be in sync\n/);
    assert.match(out, /refused +orders-3: was on 1,2\n +and 3 more\n/);
    assert.match(
      out,
      /differs +1 partitions from the plan cdcdcdcdcdcd before:\n +orders-3 was on 1,2 and is on 2,4\n/,
    );
    assert.match(out, /approved +within spec\.autoApprove/);
  });

  test('status --watch goes on until the end, and ends with 1 for a failure', async () => {
    await existing('monday', { ...proposed, phase: 'Executing', message: 'copying' });
    const watched = rebalance('status', 'monday', '--watch');
    const ended = { ...proposed, phase: 'Failed', reason: 'ExecutionFailed', message: 'no rights' } as const;
    let reads = 0;
    api.refuse = ({ method, path }) => {
      if (method === 'GET' && path.endsWith('/monday') && ++reads === 2)
        api.put(path, { ...stored('monday'), status: ended });
      return undefined;
    };
    const { code, out } = await watched;
    assert.equal(code, 1);
    assert.match(out, /Executing {2}copying\n.* {2}Failed {2}no rights\n/);
  });

  test('status asks which one where several have not ended', async () => {
    await existing('monday', proposed);
    await existing('tuesday', proposed);
    const { code, err } = await rebalance('status');
    assert.equal(code, 2);
    assert.match(err, /Several have not ended: .*Name one of them/);
  });

  test('list shows one per row, also those that nobody has taken up', async () => {
    assert.match((await rebalance('list')).err, /There is no KafkaRebalance here/);
    await existing('monday', proposed);
    await existing('new');
    const { out } = await rebalance('list');
    assert.match(out, /^NAMESPACE +NAME +CLUSTER +MODE +PHASE +MOVE/);
    assert.match(out, /shop +monday +kafka +balance +Proposed +12\.4 GiB +- +- +Proposed/);
    assert.match(out, /shop +new +kafka +- +New +- +- +- +-/);
    const { items } = JSON.parse((await rebalance('list', '--cluster', 'other', '--json')).out) as {
      items: [];
    };
    assert.deepEqual(items, []);
  });
});

const plan = { version: 1, partitions: [{ topic: 'orders', partition: 0, replicas: [1, 2] }] };

suite('rebalance execute', () => {
  test('puts the plan into a ConfigMap of the object, shows it, and approves what was shown', async () => {
    const args = [
      'execute',
      '-f',
      file('plan.json', JSON.stringify(plan)),
      '--name',
      'monday',
      '--throttle',
      '20M',
    ];
    const { code, out, err } = await rebalance(...args, '--approve', '--yes');
    assert.equal(code, 0, err);
    const configMap = api.objects.get(paths.configmaps('shop', 'monday-given')) as unknown as StoredConfigMap;
    assert.deepEqual(planOf(configMap), plan);
    assert.equal(configMap.metadata.ownerReferences?.[0]?.uid, stored('monday').metadata.uid);
    assert.deepEqual(stored('monday').spec, {
      cluster: 'kafka',
      throttle: { bytesPerSecond: '20M' },
      plan: { configMap: 'monday-given' },
    });
    assert.match(out, /a plan from elsewhere/);
    assert.equal(stored('monday').metadata.annotations?.[keys.approve], hash);
  });

  test('approves nothing unless asked to', async () => {
    const { code, err } = await rebalance(
      'execute',
      '-f',
      file('plan.json', JSON.stringify(plan)),
      '--name',
      'monday',
    );
    assert.equal(code, 0);
    assert.match(err, /To carry it out: kafka-warden rebalance approve monday/);
    assert.equal(stored('monday').metadata.annotations?.[keys.approve], undefined);
  });

  test('refuses a file that is no plan, and leaves nothing where the object cannot be created', async () => {
    const wrong = file('wrong.json', '{"partitions":[{"topic":"orders","partition":0,"replicas":[1,1]}]}');
    const { code, err } = await rebalance('execute', '-f', wrong);
    assert.equal(code, 2);
    assert.match(err, /wrong\.json: partitions\[0\]\.replicas names a broker twice\. List each broker once/);
    api.refuse = ({ method, path }) =>
      method === 'POST' && path.endsWith('kafkarebalances')
        ? { status: 422, body: { kind: 'Status', reason: 'Invalid', message: 'spec.plan: no' } }
        : undefined;
    const refused = await rebalance(
      'execute',
      '-f',
      file('plan.json', JSON.stringify(plan)),
      '--name',
      'monday',
    );
    assert.equal(refused.code, 3);
    assert.equal(api.objects.get(paths.configmaps('shop', 'monday-given')), undefined);
  });
});

suite('plan --cluster', () => {
  test('plans on the model that the sidecar measured, keeps it where asked to, and leaves no proposal', async () => {
    const model = clusterOf(
      { brokers: 6, partitions: 200, racks: 3, replication: [3], sigma: 0.5, skew: 0.5 },
      1,
    );
    const empty = {
      schema: 1,
      cluster: 'kafka',
      mode: 'balance',
      execution: { throttle: {} },
      moves: [],
    } as const;
    const prepared = await preparePlan(empty, model, new Date());
    let created: KafkaRebalance | undefined;
    sidecar = (one) => {
      created = one;
      const status: RebalanceStatus = {
        phase: 'Done',
        reason: 'WithinBand',
        plan: { ...prepared.plan, settings: 's' },
      };
      void storePlan(api.kube, one, prepared).then(() =>
        api.put(paths.kafkarebalances('shop', one.metadata.name), { ...one, status }),
      );
      return { phase: 'Proposing' };
    };
    const saved = file('model.json.gz', '');
    const args = [
      '--cluster',
      'kafka',
      '-n',
      'shop',
      '--kubeconfig',
      kubeconfig,
      '--steps',
      '50000',
      '--save-model',
      saved,
      '--json',
    ];
    const { code, out, err } = await kafkaWarden('plan', ...args);
    assert.ok(code < 2, err);
    assert.ok('summary' in (JSON.parse(out) as object));
    assert.deepEqual(JSON.parse(String(gunzipSync(readFileSync(saved)))) as ClusterModel, model);
    assert.equal(created?.spec.searchSeconds, 1);
    assert.equal(stored(created?.metadata.name ?? ''), undefined);
  });

  test('wants a model or a cluster, not both', async () => {
    for (const args of [[], ['--model', 'x', '--cluster', 'y']])
      assert.match((await kafkaWarden('plan', ...args)).err, /Give either --model FILE or --cluster NAME/);
  });
});
