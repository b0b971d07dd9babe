import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { budget, findingsOf, headless, leftAlone, object, said, set } from './test/objects.ts';

type Objects = Parameters<typeof said>[1][];

const voterList = (ids: number[], pod = (i: number) => `kafka-${i}.kafka`) =>
  ids.map((id, i) => `${id}@${pod(i)}:9093`).join(',');

suite('voters', () => {
  const voters = (...objects: Objects) => said('voters', ...objects);
  const controllers = (env: Record<string, string> = {}, replicas = 3) =>
    set({
      name: 'controller',
      env: { KAFKA_PROCESS_ROLES: 'controller', ...env },
      spec: { serviceName: 'controllers', replicas },
    });
  const brokers = (list: string) =>
    set({ name: 'broker', env: { KAFKA_PROCESS_ROLES: 'broker', KAFKA_CONTROLLER_QUORUM_VOTERS: list } });
  const pod = (i: number) => `controller-${i}.controllers`;

  test('an ordinal beyond the replicas, and a name below another Service, are no pods', () => {
    assert.match(
      voters(brokers(voterList([0, 1, 2, 3, 4], pod)), controllers()).join('\n'),
      /names 3@controller-3\.controllers, but .* has 3 replicas/,
    );
    assert.match(
      voters(brokers(voterList([0, 1, 2], (i) => `controller-${i}.kafka`)), controllers()).join(),
      /serviceName controllers, not kafka/,
    );
    assert.match(
      voters(brokers(voterList([0], (i) => `broker-${i}.kafka`))).join(),
      /broker runs no controllers/,
    );
  });

  test('an id that the pod does not have is named', () => {
    const one = controllers({ KAFKA_NODE_ID: '7' }, 1);
    assert.match(voters(brokers('8@controller-0.controllers:9093'), one).join(), /has the node id 7, not 8/);
    assert.deepEqual(voters(brokers('7@controller-0.controllers:9093'), one), []);
  });

  test('controllers that are not among the manifests are said, not judged', () => {
    const found = findingsOf(brokers(voterList([0, 1, 2], pod))).filter((f) => f.rule === 'voters');
    assert.deepEqual(
      found.map((f) => f.severity),
      ['info'],
    );
  });

  test('right ones are silent, by short and full names, and so are Services of their own', () => {
    assert.deepEqual(voters(brokers(voterList([1000, 1001, 1002], pod)), controllers()), []);
    assert.deepEqual(
      voters(
        brokers(voterList([0, 1, 2], (i) => `controller-${i}.controllers.shop.svc.cluster.local`)),
        controllers(),
      ),
      [],
    );
    assert.deepEqual(voters(set({ env: { KAFKA_CONTROLLER_QUORUM_VOTERS: voterList([0, 1, 2]) } })), []);
    assert.deepEqual(
      voters(set({ env: { KAFKA_CONTROLLER_QUORUM_VOTERS: '1@localhost:9093' }, spec: { replicas: 1 } })),
      [],
    );
    const alone = (i: number) =>
      set({
        name: `kafka-${i}`,
        spec: { replicas: 1, serviceName: `kafka-${i}` },
        env: {
          KAFKA_NODE_ID: `${i}`,
          KAFKA_PROCESS_ROLES: 'broker,controller',
          KAFKA_CONTROLLER_QUORUM_VOTERS: '1@kafka-1:9093,2@kafka-2:9093,3@kafka-3:9093',
        },
      });
    assert.deepEqual(voters(alone(1), alone(2), alone(3)), []);
  });
});

suite('sets of one cluster', () => {
  const list = '1@a:9093,2@b:9093,3@c:9093';
  const one = (name: string, env: Record<string, string>, parts = {}) =>
    set({
      name,
      spec: { replicas: 1, serviceName: name },
      env: { KAFKA_PROCESS_ROLES: 'broker,controller', KAFKA_CONTROLLER_QUORUM_VOTERS: list, ...env },
      ...parts,
    });

  test('one cluster id', () => {
    const id = { CLUSTER_ID: 'MkU3OEVBNTcwNTJENDM2Qg' };
    const other = { CLUSTER_ID: 'AkU3OEVBNTcwNTJENDM2Qg' };
    assert.match(
      said(
        'cluster-id',
        one('a', { KAFKA_NODE_ID: '1', ...id }),
        one('b', { KAFKA_NODE_ID: '2', ...other }),
      ).join(),
      /^b .* but a of the same cluster \(a\) has/,
    );
    assert.deepEqual(
      said('cluster-id', one('a', { KAFKA_NODE_ID: '1', ...id }), one('b', { KAFKA_NODE_ID: '2', ...id })),
      [],
    );
    assert.deepEqual(
      said('cluster-id', set({ name: 'x', env: id }), set({ name: 'y', env: other })),
      [],
      'two clusters',
    );
  });

  test('each node id once', () => {
    assert.match(
      said('node-ids', one('a', { KAFKA_NODE_ID: '1' }), one('b', { KAFKA_NODE_ID: '1' })).join(),
      /^b .*node id 1 belongs to a pod of a as well/,
    );
    assert.deepEqual(
      said('node-ids', one('a', { KAFKA_NODE_ID: '1' }), one('b', { KAFKA_NODE_ID: '2' })),
      [],
    );
    assert.deepEqual(
      said('node-ids', set({ name: 'x' }), set({ name: 'y' })),
      [],
      'two clusters have an id 0 each',
    );
    const byOrdinal = (name: string, replicas: number, start: number) =>
      set({
        name,
        spec: { replicas, serviceName: name, ordinals: { start } },
        env: { KAFKA_PROCESS_ROLES: 'broker,controller', KAFKA_CONTROLLER_QUORUM_VOTERS: list },
        container: {
          command: ['sh', '-c', 'export KAFKA_NODE_ID=${HOSTNAME##*-}; exec /etc/kafka/docker/run'],
        },
      });
    assert.match(
      said('node-ids', byOrdinal('a', 2_147_483_647, 0), byOrdinal('b', 3, 7)).join(),
      /^b .*node id 7 belongs to a pod of a as well/,
      'however many replicas there are',
    );
    const labels = { 'kafka-warden.io/cluster': 'x' };
    const told = findingsOf(set({ name: 'x' }), set({ name: 'y', labels })).filter(
      (f) => f.rule === 'identity',
    );
    assert.equal(told.length, 1, 'admission says it');
    const annotations = { 'kafka-warden.io/id-offset': '100' };
    assert.deepEqual(said('node-ids', set({ name: 'x' }), set({ name: 'y', labels, annotations })), []);
  });

  test('one claim for one broker', () => {
    const volumes = [{ name: 'data', persistentVolumeClaim: { claimName: 'disk' } }];
    const on = (name: string) =>
      set({
        name,
        claim: false,
        spec: { replicas: 1 },
        pod: { volumes },
        container: { volumeMounts: [{ name: 'data', mountPath: '/data' }] },
      });
    assert.match(
      said('shared-volume', on('a'), on('b')).join(),
      /^b \/spec\/template\/spec\/volumes\/0: .* the claim disk, and so does StatefulSet a/,
    );
    assert.deepEqual(said('shared-volume', on('a')), []);
    const reader = object('v1', 'Pod', 'backup', {
      spec: {
        containers: [{ name: 'b', image: 'busybox' }],
        volumes: [{ name: 'data', persistentVolumeClaim: { claimName: 'disk', readOnly: true } }],
      },
    });
    assert.deepEqual(said('shared-volume', on('a'), reader), []);
  });
});

suite('disruption budgets', () => {
  const budgets = (...objects: Objects) => said('disruption-budget', ...objects);

  test('one for one broker at a time is silent, however it says so', () => {
    for (const spec of [
      { maxUnavailable: 1 },
      { minAvailable: 2 },
      { maxUnavailable: '33%' },
      { minAvailable: '60%' },
    ])
      assert.deepEqual(budgets(set(), budget('kafka', spec)), [], JSON.stringify(spec));
    const selector = { matchExpressions: [{ key: 'app', operator: 'In', values: ['kafka', 'web'] }] };
    assert.deepEqual(budgets(set(), budget('kafka', { selector, maxUnavailable: 1 })), []);
  });

  test('more than one at a time, or none at all', () => {
    assert.match(
      budgets(set(), budget('kafka', { maxUnavailable: 2 })).join(),
      /^kafka \/spec\/maxUnavailable: .* 2 of 3 brokers/,
    );
    assert.match(budgets(set(), budget('kafka', { minAvailable: 1 })).join(), /lets 2 of 3/);
    assert.match(budgets(set(), budget('kafka', { minAvailable: '100%' })).join(), /lets none of 3/);
    assert.match(budgets(set(), budget('kafka', { maxUnavailable: 0 })).join(), /lets none of 3/);
  });

  test('none, and two over the same pods', () => {
    assert.match(budgets(set()).join(), /no PodDisruptionBudget/);
    assert.match(
      budgets(
        set(),
        budget('other', { maxUnavailable: 1, selector: { matchLabels: { app: 'web' } } }),
      ).join(),
      /no PodDisruptionBudget/,
    );
    assert.match(
      budgets(set(), budget('a', { maxUnavailable: 1 }), budget('b', { maxUnavailable: 1 })).join(),
      /^b \/spec\/selector: the budgets a and b both/,
    );
    assert.deepEqual(budgets(set({ spec: { replicas: 1 } })), []);
  });

  test('an empty selector selects nothing in policy/v1beta1 and all in policy/v1', () => {
    const old = { ...budget('kafka', { selector: {}, maxUnavailable: 1 }), apiVersion: 'policy/v1beta1' };
    assert.match(budgets(set(), old).join(), /no PodDisruptionBudget/);
    assert.deepEqual(budgets(set(), budget('kafka', { selector: {}, maxUnavailable: 1 })), []);
  });
});

suite('versions and kinds', () => {
  test('removed API versions are named with what replaced them', () => {
    const found = (value: Objects[0]) => findingsOf(value).filter((f) => f.rule === 'removed-api');
    const old = (apiVersion: string, kind: string) => found(object(apiVersion, kind, 'x', {}))[0];
    assert.match(old('policy/v1beta1', 'PodDisruptionBudget')?.remedy ?? '', /policy\/v1\./);
    assert.match(old('extensions/v1beta1', 'Ingress')?.message ?? '', /since Kubernetes 1\.22/);
    assert.match(old('policy/v1beta1', 'PodSecurityPolicy')?.remedy ?? '', /Pod Security Admission/);
    assert.match(found({ ...set(), apiVersion: 'apps/v1beta1' })[0]?.remedy ?? '', /spec\.selector/);
    for (const [apiVersion, kind] of [
      ['apps/v1', 'Deployment'],
      ['policy/v1', 'PodDisruptionBudget'],
      ['monitoring.coreos.com/v1', 'ServiceMonitor'],
      ['batch/v1beta1', 'Thing'],
    ] as const)
      assert.equal(old(apiVersion, kind), undefined);
  });

  test('a Deployment that runs a broker is found, one beside Kafka is not', () => {
    const deployment = (image: string, env: { name: string; value: string }[] = []) =>
      object('apps/v1', 'Deployment', 'd', {
        spec: {
          replicas: 2,
          selector: {},
          template: {
            metadata: { labels: {} },
            spec: { hostname: 'kafka', containers: [{ name: 'c', image, env }] },
          },
        },
      });
    assert.equal(said('workload-kind', deployment('apache/kafka:4.1.0')).length, 2);
    for (const image of [
      'confluentinc/cp-schema-registry:7.9.0',
      'provectuslabs/kafka-ui:v0.7.2',
      'confluentinc/cp-kafka-rest:7.9.0',
      'danielqsj/kafka-exporter',
      'quay.io/strimzi/kafka:0.45',
    ])
      assert.deepEqual(
        said('workload-kind', deployment(image, [{ name: 'KAFKA_ADVERTISED_LISTENERS', value: 'x' }])),
        [],
        image,
      );
    assert.deepEqual(said('workload-kind', set(), headless()), []);
  });

  test('a tool in a Job is no broker', () => {
    const job = object('batch/v1', 'Job', 'topics', {
      spec: {
        template: {
          spec: {
            containers: [
              {
                name: 'c',
                image: 'apache/kafka:4.1.0',
                command: ['/opt/kafka/bin/kafka-topics.sh', '--create'],
              },
            ],
          },
        },
      },
    });
    assert.deepEqual(findingsOf(job), []);
  });

  test('what opted out is left alone', () => {
    assert.deepEqual(findingsOf(leftAlone({ labels: { 'kafka-warden.io/ignore': 'true' } })), []);
  });
});

suite('what real directories hold', () => {
  const pod = (command: string[]) =>
    object('v1', 'Pod', 'kafka-cli', {
      spec: { containers: [{ name: 'cli', image: 'confluentinc/cp-kafka:7.5.0', command }] },
    });

  test('a pod of a Kafka image that sleeps or runs a tool is no broker', () => {
    for (const command of [
      ['sh', '-c', 'exec tail -f /dev/null'],
      ['sleep', 'infinity'],
      ['/opt/kafka/bin/kafka-reassign-partitions.sh', '--verify'],
    ])
      assert.deepEqual(findingsOf(pod(command)), [], command.join(' '));
    assert.ok(said('workload-kind', pod(['/etc/confluent/docker/run'])).length > 0);
  });

  test('variants of one object under one name are not taken for two', () => {
    const variant = () =>
      set({ env: { KAFKA_NODE_ID: '1', CLUSTER_ID: String(Math.PI) }, spec: { replicas: 1 } });
    const two = budget('kafka', { maxUnavailable: 1 });
    for (const rule of ['node-ids', 'cluster-id', 'shared-volume', 'disruption-budget'])
      assert.deepEqual(
        said(rule, variant(), set({ spec: { replicas: 1 } }), variant(), two, structuredClone(two)),
        [],
        rule,
      );
  });

  test("a private image's tag tells no version of Kafka", () => {
    const image = 'registry.acme.test/kafka:1.0-10.2.1';
    assert.deepEqual(said('kafka-version', set({ image, env: { KAFKA_BROKER_ID: '0' } })), []);
    assert.deepEqual(said('kafka-version', set({ image: 'debezium/kafka:2.7' })), []);
    assert.equal(said('kafka-version', set({ image: 'wurstmeister/kafka:2.13-2.8.1' })).length, 1);
  });
});
