import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { harden } from '../../src/hardening/index.ts';
import type { StatefulSet } from '../../src/hardening/index.ts';
import type { Kube } from '../../src/kubernetes/client.ts';
import { paths } from '../../src/kubernetes/paths.ts';
import type { Secret, Service } from '../../src/sidecar/objects.ts';
import type { KafkaCluster } from '../../src/sidecar/status/kafka-cluster.ts';
import type { KafkaUser } from '../../src/sidecar/users/kafka-user.ts';
import { type Cluster, clusterUnavailable, startCluster } from '../cluster/index.ts';
import { type LocalSidecar, kubeOf, startSidecar } from '../support/sidecar.ts';
import { until } from '../support/until.ts';
import { vanillaObjects } from '../support/vanilla.ts';
import { installWarden } from '../support/warden.ts';

const reason = clusterUnavailable();
const port = 18_091;
const slow = { timeoutMs: 300_000 };

interface Part {
  readonly name: string;
  readonly role: 'broker' | 'controller';
  readonly replicas: number;
  readonly annotations?: Record<string, string>;
}

/** A hardened StatefulSet of one role, with its Service, as admission makes it of a plain manifest. */
function partOf(namespace: string, { name, role, replicas, annotations = {} }: Part): object[] {
  const env = [
    { name: 'KAFKA_PROCESS_ROLES', value: role },
    { name: 'KAFKA_CONTROLLER_LISTENER_NAMES', value: 'CONTROLLER' },
    {
      name: 'KAFKA_LISTENERS',
      value: role === 'broker' ? 'PLAINTEXT://:9092' : 'CONTROLLER://:9093',
    },
  ];
  const objects = vanillaObjects({
    name,
    namespace,
    replicas,
    annotations: { 'kafka-warden.io/cluster': 'shop', ...annotations },
    container: { env, resources: { requests: { cpu: '50m' } } },
  });
  return objects.map((object) => {
    if (!('kind' in object) || object.kind !== 'StatefulSet') return object;
    const { decision, workload, findings } = harden(object as StatefulSet, { namespace });
    assert.equal(decision, 'hardened', JSON.stringify(findings));
    return workload;
  });
}

/** All of a cluster at once: its last nodes would wait for a quorum that has left. */
async function removeNamespace(cluster: Cluster, namespace: string): Promise<void> {
  const kubectl = (...args: string[]) => cluster.kubectl(['-n', namespace, ...args]);
  await kubectl('delete', 'statefulset', '--all', '--cascade=orphan');
  await kubectl('delete', 'pods', '--all', '--grace-period=0', '--force');
  await cluster.kubectl(['delete', 'namespace', namespace, '--ignore-not-found', '--timeout=120s']);
}

const controllers = { name: 'ctl', role: 'controller', replicas: 3 } as const;
const brokers = { name: 'brokers', role: 'broker', replicas: 2 } as const;
const more = {
  name: 'more',
  role: 'broker',
  replicas: 1,
  annotations: { 'kafka-warden.io/id-offset': '10' },
} as const;

void suite(
  'a cluster of controllers and brokers in StatefulSets of their own',
  { skip: reason ?? false },
  () => {
    const namespace = `several-sets-${process.pid}`;
    let cluster: Cluster;
    let kube: Kube;
    let sidecar: LocalSidecar;

    const keysOf = (set: string) => kube.get<Secret>(paths.secrets(namespace, `${set}-kafka-keys`));
    const factsOf = async (set: string) =>
      Buffer.from((await keysOf(set)).data?.['cluster.properties'] ?? '', 'base64').toString();
    const status = async () =>
      (await kube.tryGet<KafkaCluster>(paths.kafkaclusters(namespace, 'shop')))?.status ?? {};
    const condition = async (type: string) => (await status()).conditions?.find((one) => one.type === type);
    const ready = () =>
      until('the cluster is ready', async () => (await condition('Ready'))?.status === 'True', slow);
    const kubectl = (...args: string[]) => cluster.kubectl(['-n', namespace, ...args]);
    const apply = (part: Part) => cluster.apply(partOf(namespace, part));
    const endpoints = async () =>
      (
        await kubectl(
          ...['get', 'endpointslices', '-l', 'kubernetes.io/service-name=shop-kafka-bootstrap'],
          ...['-o', 'jsonpath={.items[*].endpoints[*].targetRef.name}'],
        )
      )
        .split(' ')
        .sort();

    before(async () => {
      cluster = await startCluster();
      kube = await kubeOf(cluster);
      if (process.env['WARDEN_CRDS_ONLY'] === undefined) await installWarden(cluster);
      await cluster.kubectl(['create', 'namespace', namespace]);
      sidecar = await startSidecar(cluster, { namespace, name: 'shop', port });
    });

    after(async () => {
      await sidecar.stop();
      await removeNamespace(cluster, namespace);
      await cluster[Symbol.asyncDispose]();
    });

    test('brokers that come first wait for their controllers, and it is said for what', async () => {
      await apply(brokers);
      const finding = await until('the missing controllers are told', async () => {
        const found = await condition('SetsAgree');
        return found?.status === 'False' && found;
      });
      assert.equal(finding.reason, 'VotersMissing');
      await until(
        'the cluster is not ready for that reason',
        async () => (await condition('Ready'))?.reason === 'VotersMissing',
      );
      await until('the launcher says the same', async () =>
        /controllers' StatefulSet of cluster shop/.test(await kubectl('logs', 'brokers-0', '-c', 'kafka')),
      );
      assert.doesNotMatch(await factsOf('brokers'), /^voters=/m);
    });

    test('with the controllers the cluster becomes ready', async () => {
      await apply(controllers);
      await ready();
      const { brokers: serving, controllers: voting, quorum, summary, listeners } = await status();
      assert.equal(summary, '2/2 brokers, 3/3 controllers');
      assert.deepEqual(
        serving?.map(({ id, pod }) => [id, pod]),
        [
          [0, 'brokers-0'],
          [1, 'brokers-1'],
        ],
      );
      assert.deepEqual(
        voting?.map(({ id, pod, voter }) => [id, pod, voter]),
        [
          [1000, 'ctl-0', true],
          [1001, 'ctl-1', true],
          [1002, 'ctl-2', true],
        ],
      );
      assert.deepEqual(quorum?.voters, [1000, 1001, 1002]);
      assert.deepEqual(
        listeners?.map(({ name }) => name),
        ['CLIENT', 'INTERNAL', 'CONTROLLER'],
      );
      assert.equal((await condition('SetsAgree'))?.status, 'True');
      const facts = await factsOf('brokers');
      assert.match(facts, /^voters=1000@ctl-0\.ctl\..*,1001@ctl-1\.ctl\..*,1002@ctl-2\.ctl\./m);
      assert.equal(await factsOf('ctl'), facts);
    });

    test('clients begin at brokers only, and one that has a user gets in', async () => {
      await until('both brokers are behind the Service', async () => (await endpoints()).length === 2);
      assert.deepEqual(await endpoints(), ['brokers-0', 'brokers-1']);
      await cluster.apply({
        apiVersion: 'kafka-warden.io/v1alpha1',
        kind: 'KafkaUser',
        metadata: { name: 'alice', namespace },
        spec: {
          cluster: 'shop',
          acls: [{ resource: { type: 'topic', name: 'orders' }, operations: ['All'] }],
        },
      });
      await until('alice is ready', async () => {
        const user = await kube.get<KafkaUser>(paths.kafkausers(namespace, 'alice'));
        return user.status?.conditions?.[0]?.status === 'True';
      });
      const properties = Buffer.from(
        (await kube.get<Secret>(paths.secrets(namespace, 'alice-kafka-user'))).data?.['client.properties'] ??
          '',
        'base64',
      ).toString();
      const { brokers: [first] = [] } = await status();
      assert.ok(first);
      const trusted = properties.replace(
        /^ssl\.truststore\.location=.*$/m,
        'ssl.truststore.location=/tmp/ca.crt',
      );
      const authority = await kube.get<Secret>(paths.secrets(namespace, 'shop-kafka-authority'));
      const caPem = Buffer.from(authority.data?.['tls.crt'] ?? '', 'base64').toString();
      const script = `cat > /tmp/ca.crt <<'END'\n${caPem}\nEND\ncat > /tmp/alice.properties <<'END'\n${trusted}\nEND\n
      /opt/kafka/bin/kafka-topics.sh --bootstrap-server shop-kafka-bootstrap.${namespace}.svc:9092 --command-config /tmp/alice.properties --create --topic orders`;
      assert.match(
        await kubectl('exec', first.pod, '-c', 'kafka', '--', 'bash', '-c', script),
        /Created topic orders/,
      );
    });

    test('every disk is recorded, the controllers’ too', async () => {
      await until('five disks are recorded', async () => {
        const entries = [await keysOf('ctl'), await keysOf('brokers')].flatMap(({ data }) =>
          Object.keys(data ?? {}),
        );
        return entries.filter((key) => key.endsWith('.formatted')).length === 5;
      });
    });

    test('one budget covers brokers and controllers', async () => {
      const healthy = await kubectl(
        ...[
          'get',
          'pdb',
          'shop-kafka-warden',
          '-o',
          'jsonpath={.status.expectedPods} {.spec.maxUnavailable}',
        ],
      );
      assert.equal(healthy, '5 1');
    });

    test('brokers that come later join, and the cluster’s durability follows their number', async () => {
      await apply(more);
      await until(
        'the third broker is registered',
        async () =>
          (await status()).brokers?.some(
            ({ id, pod, registered }) => id === 10 && pod === 'more-0' && registered,
          ),
        slow,
      );
      await until('all sets are told of three replicas', async () => {
        const facts = await Promise.all(['ctl', 'brokers', 'more'].map(factsOf));
        return facts.every((one) => one.includes('replication.factor=3\nmin.insync.replicas=2\n'));
      });
      await until('two replicas must be in sync', async () => (await status()).minInsyncReplicas === 2, slow);
      await ready();
      await until('clients may begin at it', async () => (await endpoints()).length === 3);
      assert.deepEqual(await endpoints(), ['brokers-0', 'brokers-1', 'more-0']);
    });

    test('ids that collide are told', async () => {
      await apply({ ...more, name: 'twin', replicas: 1 });
      const finding = await until('the collision is told', async () => {
        const found = await condition('SetsAgree');
        return found?.reason === 'NodeIdsCollide' && found;
      });
      assert.match(finding.message, /10 \(more-0, twin-0\)/);
      assert.equal(await kube.tryGet(paths.secrets(namespace, 'twin-kafka-keys')), undefined);
      await kubectl('delete', 'statefulset', 'twin');
      await until('all is well again', async () => (await condition('SetsAgree'))?.status === 'True');
    });

    test('while the controllers’ set is made anew, nothing changes for the brokers', async () => {
      await ready();
      const versionsOf = async () =>
        (await Promise.all([keysOf('brokers'), keysOf('more')])).map(
          ({ metadata }) => metadata.resourceVersion,
        );
      const versions = await versionsOf();
      await kubectl('delete', 'statefulset', 'ctl', '--cascade=orphan');
      await until(
        'the sidecar knows',
        async () => (await condition('SetsAgree'))?.reason === 'VotersMissing',
      );
      await kubectl('delete', 'pod', 'more-0');
      await until(
        'a broker has started without it',
        () => kubectl('wait', 'pod/more-0', '--for=condition=Ready', '--timeout=5s'),
        slow,
      );
      await apply(controllers);
      await ready();
      assert.deepEqual(await versionsOf(), versions);
      assert.equal(
        (await kube.get<Service>(paths.services(namespace, 'shop-kafka-bootstrap'))).spec?.selector?.[
          'kafka-warden.io/broker'
        ],
        'shop',
      );
    });
  },
);

void suite('a cluster whose controllers come first', { skip: reason ?? false }, () => {
  const namespace = `controllers-first-${process.pid}`;
  let cluster: Cluster;
  let kube: Kube;
  let sidecar: LocalSidecar;

  before(async () => {
    cluster = await startCluster();
    kube = await kubeOf(cluster);
    if (process.env['WARDEN_CRDS_ONLY'] === undefined) await installWarden(cluster);
    await cluster.kubectl(['create', 'namespace', namespace]);
    sidecar = await startSidecar(cluster, { namespace, name: 'shop', port: port + 1 });
  });

  after(async () => {
    await sidecar.stop();
    await removeNamespace(cluster, namespace);
    await cluster[Symbol.asyncDispose]();
  });

  test('one controller serves while there is no broker, and the first broker joins it', async () => {
    const status = async () =>
      (await kube.tryGet<KafkaCluster>(paths.kafkaclusters(namespace, 'shop')))?.status ?? {};
    await cluster.apply(partOf(namespace, { ...controllers, replicas: 1 }));
    await until('the controller’s pod is ready', async () => (await status()).controllers?.[0]?.ready, slow);
    const registered = (await status()).conditions?.find(({ type }) => type === 'Registered');
    assert.equal(registered?.reason, 'NoBrokers');
    assert.equal(await kube.tryGet(paths.services(namespace, 'shop-kafka-bootstrap')), undefined);
    await cluster.apply(partOf(namespace, { ...brokers, replicas: 1 }));
    await until(
      'the cluster is ready',
      async () =>
        (await status()).conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True'),
      slow,
    );
    const { quorum, summary, bootstrap } = await status();
    assert.deepEqual(quorum?.voters, [1000]);
    assert.equal(summary, '1/1 brokers, 1/1 controllers');
    assert.equal(bootstrap, `shop-kafka-bootstrap.${namespace}.svc:9092`);
  });
});
