import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { run } from '../../cluster/command.ts';
import { clusterUnavailable, images, isUnavailable, startCluster } from '../../cluster/index.ts';
import type { Cluster } from '../../cluster/index.ts';
import { until } from '../../support/until.ts';

const harness = join(import.meta.dirname, '../../cluster');
const name = 'cluster-test';
const namespace = 'demo';
const broker = 'kafka-0.kafka.demo.svc.cluster.local';
const topics = '/opt/kafka/bin/kafka-topics.sh';

const within = (timeoutMs: number) => ({ timeoutMs, everyMs: 200 });

/** Opens a connection, and tells whether that succeeded. */
async function opens(options: { host: string; port: number; lookup?: Cluster['lookup'] }): Promise<boolean> {
  const socket = connect({ ...options, timeout: 2_000 });
  try {
    await Promise.race([
      once(socket, 'connect'),
      once(socket, 'timeout').then(() => Promise.reject(new Error())),
    ]);
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

describe('the test cluster', { skip: clusterUnavailable(), timeout: 600_000 }, () => {
  let cluster: Cluster;

  const inDemo = (...args: string[]) => cluster.kubectl(['-n', namespace, ...args]);
  const ordersTopic = (...args: string[]) =>
    inDemo('exec', 'kafka-1', '--', topics, '--bootstrap-server', 'kafka:9092', '--topic', 'orders', ...args);
  const nodeOf = (pod: string) => inDemo('get', 'pod', pod, '-o', 'jsonpath={.spec.nodeName}');
  const ready = (seconds = 120) => inDemo('rollout', 'status', 'statefulset/kafka', `--timeout=${seconds}s`);
  const timed = async (what: string, action: () => Promise<unknown>) => {
    const startedAt = performance.now();
    await action();
    console.log(`${what}: ${((performance.now() - startedAt) / 1000).toFixed(1)} s`);
  };

  before(async () => {
    if ((process.env['KUBECONFIG'] ?? '') === '') await leaveOneBehind();
    await timed('start', async () => (cluster = await startCluster({ name })));
  });

  after(async () => {
    await cluster[Symbol.asyncDispose]();
    if (cluster.name === name) await assertNothingIsLeft();
  });

  /** A run that is killed while it starts, as a crashed test run would be. */
  async function leaveOneBehind(): Promise<void> {
    const program = `import { startCluster } from ${JSON.stringify(join(harness, 'index.ts'))};
      await startCluster({ name: ${JSON.stringify(name)}, nodes: 1 });`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: 'ignore' });
    await until(
      'a cluster begins to start',
      async () => (await run('ip', ['netns'])).includes('-node1'),
      within(60_000),
    );
    child.kill('SIGKILL');
    await once(child, 'exit');
  }

  async function assertNothingIsLeft(): Promise<void> {
    const traces = [
      await run('findmnt', ['-rn', '-o', 'TARGET']),
      await run('losetup', ['-ln', '-O', 'BACK-FILE']),
    ];
    for (const trace of traces) assert.ok(!trace.includes(`/${name}/`), trace);
    for (const hierarchy of ['', 'pids', 'memory']) {
      assert.ok(!existsSync(join('/sys/fs/cgroup', hierarchy, 'kafka-warden', name)));
    }
  }

  test('its nodes are ready, each in a zone of its own', async () => {
    const nodes = await cluster.kubectl(['get', 'nodes', '-o', 'jsonpath={.items[*].metadata.labels}']);
    for (const zone of ['zone1', 'zone2', 'zone3'])
      assert.match(nodes, new RegExp(`"topology.kubernetes.io/zone":"${zone}"`));
    await cluster.kubectl(['wait', '--for=condition=Ready', 'nodes', '--all', '--timeout=60s']);
  });

  test('a vanilla Kafka runs on it', async () => {
    await timed('three brokers ready', async () => {
      await cluster.apply(readFileSync(join(harness, 'manifests/vanilla-kafka.yaml'), 'utf8'));
      await ready();
    });
    await ordersTopic('--create', '--replication-factor', '3');
    assert.match(await cluster.logs('kafka-0', namespace), /===> Launching/);
  });

  test('this machine reaches brokers by name, by pod address and by load balancer', async () => {
    assert.ok(await opens({ host: broker, port: 9092, lookup: cluster.lookup }));
    await inDemo(
      'expose',
      'pod',
      'kafka-0',
      '--name=outside',
      '--type=LoadBalancer',
      '--port=19092',
      '--target-port=9092',
    );
    const address = '{.status.loadBalancer.ingress[0].ip}';
    await inDemo('wait', `--for=jsonpath=${address}`, 'service/outside', '--timeout=30s');
    const host = await inDemo('get', 'service', 'outside', '-o', `jsonpath=${address}`);
    await until('the load balancer answers', () => opens({ host, port: 19092 }), within(10_000));
    const clusterIp = await inDemo('get', 'service', 'outside', '-o', 'jsonpath={.spec.clusterIP}');
    assert.ok(await opens({ host: clusterIp, port: 19092 }));
    await inDemo('exec', 'kafka-2', '--', 'bash', '-c', '</dev/tcp/outside/19092');
    await inDemo('exec', 'kafka-0', '--', 'bash', '-c', '</dev/tcp/outside/19092');
  });

  test('a drained broker comes back on another node with its data', async () => {
    const node = await nodeOf('kafka-0');
    await timed('drain and return', async () => {
      await cluster.kubectl([
        'drain',
        node,
        '--ignore-daemonsets',
        '--delete-emptydir-data',
        '--timeout=60s',
      ]);
      await until('the broker is back', async () => (await nodeOf('kafka-0')) !== '', within(60_000));
      await ready();
    });
    assert.notEqual(await nodeOf('kafka-0'), node);
    await cluster.kubectl(['uncordon', node]);
    assert.match(await inDemo('exec', 'kafka-0', '--', 'ls', '/var/lib/kafka/data/logs'), /orders-0/);
  });

  test('every volume is a file system of its own size, which can be filled', async () => {
    let megabytes = 0;
    const write = () =>
      inDemo(
        'exec',
        'kafka-0',
        '--',
        'dd',
        'if=/dev/zero',
        'of=/var/lib/kafka/data/probe',
        'bs=1M',
        `count=${(megabytes += 8)}`,
      );
    await write();
    await skippable(async () => {
      await cluster.fillDisk('kafka-0', namespace, { leaveBytes: 1024 * 1024 });
      await assert.rejects(write, /No space left on device/);
      await cluster.freeDisk('kafka-0', namespace);
      await write();
    });
  });

  test('a pod can be paused, and its processes read and killed', async () => {
    await skippable(async () => {
      const [java] = await cluster.processesOf('kafka-1', namespace);
      assert.ok(java !== undefined && java.command.includes('kafka.Kafka'));
      assert.match(readFileSync(`/proc/${java.pid}/environ`, 'utf8'), /KAFKA_PROCESS_ROLES=/);
      await cluster.pause('kafka-1', namespace);
      assert.match(readFileSync(`/proc/${java.pid}/status`, 'utf8'), /State:\s+T/);
      await cluster.resume('kafka-1', namespace);
      await cluster.killProcessOf('kafka-1', namespace);
      const restarts = '{.status.containerStatuses[0].restartCount}';
      await until(
        'the container restarts',
        async () => (await inDemo('get', 'pod', 'kafka-1', '-o', `jsonpath=${restarts}`)) === '1',
        within(30_000),
      );
      await ready();
    });
  });

  test('a local disk stays on its node, and goes with its claim', async () => {
    await cluster.apply([
      {
        apiVersion: 'v1',
        kind: 'PersistentVolumeClaim',
        metadata: { name: 'scratch', namespace },
        spec: {
          storageClassName: 'local',
          accessModes: ['ReadWriteOnce'],
          resources: { requests: { storage: '100Mi' } },
        },
      },
      {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name: 'writer', namespace },
        spec: {
          containers: [
            {
              name: 'writer',
              image: images.kafka41,
              command: ['bash', '-c', 'echo here > /data/file && exec sleep infinity'],
              volumeMounts: [{ name: 'data', mountPath: '/data' }],
            },
          ],
          volumes: [{ name: 'data', persistentVolumeClaim: { claimName: 'scratch' } }],
        },
      },
    ]);
    await inDemo('wait', '--for=condition=Ready', 'pod/writer', '--timeout=60s');
    const volume = await inDemo('get', 'pvc', 'scratch', '-o', 'jsonpath={.spec.volumeName}');
    const affinity = '{.spec.nodeAffinity.required.nodeSelectorTerms[0].matchExpressions[0].values[0]}';
    assert.equal(
      await cluster.kubectl(['get', 'pv', volume, '-o', `jsonpath=${affinity}`]),
      await nodeOf('writer'),
    );
    await inDemo('delete', 'pod/writer', 'pvc/scratch', '--grace-period=1');
    await cluster.kubectl(['wait', '--for=delete', `pv/${volume}`, '--timeout=30s']);
  });

  test('a node without power and a node without network are noticed, and come back', async () => {
    await skippable(async () => {
      const [dark, silent] = [await nodeOf('kafka-1'), await nodeOf('kafka-2')];
      await cluster.stopNode(dark);
      await cluster.cutOff(silent);
      const lost = (node: string) =>
        cluster.kubectl(['wait', '--for=condition=Ready=Unknown', `node/${node}`, '--timeout=90s']);
      await timed('two nodes noticed as lost', () => Promise.all([lost(dark), lost(silent)]));
      await timed('both back', async () => {
        await cluster.heal(silent);
        await cluster.startNode(dark);
        await cluster.kubectl(['wait', '--for=condition=Ready', 'nodes', '--all', '--timeout=90s']);
      });
      await ready();
      await ordersTopic('--describe');
    });
  });

  test('the API server can be lost and comes back', async () => {
    await skippable(async () => {
      await cluster.stopApiServer();
      await assert.rejects(cluster.kubectl(['get', 'nodes', '--request-timeout=2s']));
      assert.ok(await opens({ host: broker, port: 9092, lookup: cluster.lookup }));
      await cluster.startApiServer();
      await cluster.kubectl(['get', 'nodes']);
    });
  });

  test('a node can be added', async () => {
    await skippable(async () => {
      const node = await cluster.addNode();
      assert.deepEqual(await cluster.nodes(), ['node1', 'node2', 'node3', node]);
      await inDemo('scale', 'statefulset/kafka', '--replicas=0');
      await inDemo(
        'run',
        'visitor',
        `--image=${images.kafka39}`,
        '--restart=Never',
        `--overrides={"spec":{"nodeName":"${node}"}}`,
        '--command',
        '--',
        'sleep',
        'infinity',
      );
      await inDemo('wait', '--for=condition=Ready', 'pod/visitor', '--timeout=60s');
      await inDemo('exec', 'visitor', '--', 'getent', 'hosts', 'kubernetes.default.svc.cluster.local');
    });
  });

  test('deleting the namespace gives all disks back', async () => {
    await timed('namespace gone', () => cluster.kubectl(['delete', 'namespace', namespace, '--timeout=90s']));
    await until(
      'no volume is left',
      async () => (await cluster.kubectl(['get', 'pv', '-o', 'name'])) === '',
      within(30_000),
    );
  });

  /** Runs what needs the machine below the cluster, and leaves it out on an external cluster. */
  async function skippable(action: () => Promise<void>): Promise<void> {
    await action().catch((error: unknown) => {
      if (!isUnavailable(error)) throw error;
      console.log(`skipped: ${error.message}`);
    });
  }
});
