import assert from 'node:assert/strict';
import { after, before, test, type TestContext } from 'node:test';
import { startCluster, type Cluster } from '../cluster/index.ts';
import { givenApplication, type Application } from './application.ts';
import { brokersOf, deleteNamespace, endPods, type Brokers } from './brokers.ts';
import { knock } from './listener.ts';
import { portForward } from './port-forward.ts';
import { findSecrets } from './secret-search.ts';
import { until } from './until.ts';
import { vanillaManifest, vanillaObjects } from './vanilla.ts';
import { enrolledNamespace, installWarden } from './warden.ts';
import { writePaths } from './write-paths.ts';
import { clientsAuthorityLeaf, nodesAuthorityLeaf } from './authorities.ts';

const set = 'kafka';
const user = 'alice';
const messages = 1000;

/** A journey's start: the image, the namespace, and what its status should call the version. */
export interface Start {
  image: string;
  namespace: string;
  version: RegExp;
}

/** One hardened cluster, from its vanilla manifest to its deletion; each step goes on where the one before ended. */
export function journey({ image, namespace, version }: Start): void {
  let cluster: Cluster;
  let brokers: Brokers;
  let application: Application;
  const kubectl = (...args: string[]) => cluster.kubectl(['-n', namespace, ...args]);

  before(async () => {
    cluster = await startCluster();
    await installWarden(cluster);
    await enrolledNamespace(cluster, namespace);
    brokers = brokersOf(cluster, namespace, set);
  });
  after(async () => {
    if (cluster) await deleteNamespace(cluster, namespace);
    await cluster?.[Symbol.asyncDispose]();
  });

  let serves = false;
  /** A step of the journey, which needs that the cluster came up. */
  const step = (name: string, walk: (t: TestContext) => Promise<void>): void => {
    void test(name, async (t) => (serves ? walk(t) : t.skip('the cluster never came up')));
  };

  test('it is hardened on admission and serves within 90 seconds', async (t) => {
    const from = performance.now();
    await cluster.apply(vanillaManifest({ name: set, namespace, image }));
    await brokers.ready();
    serves = true;
    const seconds = (performance.now() - from) / 1000;
    t.diagnostic(`3 hardened brokers ready ${seconds.toFixed(1)} s after kubectl apply`);
    assert.ok(seconds <= 90, `took ${seconds} s`);
    const settings = await kubectl(
      'get',
      'statefulset',
      set,
      '-o',
      `jsonpath={.spec.template.spec.containers[0].env[?(@.name=="WARDEN_SETTINGS")].value}`,
    );
    assert.match(settings, /CLIENT:SASL_SSL,INTERNAL:SSL,CONTROLLER:SSL/);
    const nodes = await Promise.all((await brokers.pods()).map((pod) => brokers.nodeOf(pod)));
    assert.equal(new Set(nodes).size, 3, 'one broker on each node');
  });

  step('its status tells bootstrap, listeners, version and expiries, and a budget stands', async () => {
    await kubectl('wait', `kafkacluster/${set}`, '--for=condition=Ready', '--timeout=90s');
    const status = await until('the certificates of all brokers are told', async () => {
      const read = await kubectl('get', 'kafkacluster', set, '-o', 'json');
      const now = (JSON.parse(read) as { status: Record<string, unknown> }).status;
      return Array.isArray(now['certificates']) && now['certificates'].length >= 6 && now;
    });
    assert.match(
      JSON.stringify(status['bootstrap']),
      new RegExp(`kafka-kafka-bootstrap\\.${namespace}\\.svc:9092`),
    );
    assert.ok(Array.isArray(status['listeners']) && status['listeners'].length >= 2);
    assert.match(String(status['kafkaVersion']), version);
    await until('the budget is open: every broker could go alone', async () => {
      const read = await kubectl('get', 'pdb', `${set}-kafka-warden`, '-o', 'json');
      const { spec } = JSON.parse(read) as { spec: Record<string, unknown> };
      assert.equal(spec['unhealthyPodEvictionPolicy'], 'AlwaysAllow');
      return spec['maxUnavailable'] === 1;
    });
  });

  step(
    'a user gets credentials; without them a client is refused, with them it produces and consumes',
    async () => {
      application = await givenApplication(cluster, { namespace, user, kafka: set, group: 'journey' });
      assert.equal((await application.connect('anonymous')).connected, false, 'TLS without credentials');
      assert.equal((await application.connect('plain')).connected, false, 'plaintext');
      assert.equal(await application.produce('orders', messages), messages);
      assert.equal(await application.consume('orders', 'journey-1', messages), messages);
      await assert.rejects(application.produce('payments', 1), 'a topic that no ACL names');
    },
  );

  step('durable defaults are in effect: three replicas, two of them in sync', async () => {
    const described = await kubectl('get', 'kafkacluster', set, '-o', 'jsonpath={.status.minInsyncReplicas}');
    assert.equal(described, '2');
  });

  step(
    "each broker presents its own certificate, and the clients' authority opens neither INTERNAL nor CONTROLLER",
    async () => {
      const foreign = await clientsAuthorityLeaf(cluster, namespace, set);
      const own = await nodesAuthorityLeaf(cluster, namespace, set);
      const serials = new Set<string>();
      for (const pod of await brokers.pods()) {
        const name = `${pod}.${set}.${namespace}.svc`;
        for (const port of [9092, 9091, 9093]) {
          await using forward = await portForward(cluster, { namespace, pod, port });
          const { ca } = own;
          const anonymous = await knock(forward.port, name, { ca });
          const stranger = await knock(forward.port, name, { ...foreign, ca });
          const node = await knock(forward.port, name, own);
          assert.equal(node.accepted, true, `${pod}:${port} takes a node: ${JSON.stringify(node)}`);
          assert.equal(anonymous.accepted, port === 9092, `${pod}:${port} without a certificate`);
          assert.equal(
            stranger.accepted,
            port === 9092,
            `${pod}:${port} with a certificate of the clients' authority`,
          );
          if (node.accepted && port !== 9093) serials.add(node.serial);
        }
      }
      assert.equal(serials.size, 3, 'a certificate for each broker');
    },
  );

  step('no secret stands in templates, environments, command lines, logs or events', async (t) => {
    const { places, secrets, leaks } = await findSecrets(cluster, { namespace, set, user });
    t.diagnostic(`${secrets} secrets searched for, raw and in base64, in ${places} places`);
    assert.deepEqual(leaks, []);
  });

  step(
    're-applying the vanilla manifest in four ways makes no revision and keeps every pod, for two pinned profiles',
    async () => {
      const objects = vanillaObjects({ name: set, namespace, image });
      const pinned = { name: 'pinned', namespace, image, replicas: 1 };
      const pin = { 'kafka-warden.io/profile': 'apache-kafka/1' };
      await cluster.apply(vanillaManifest({ ...pinned, annotations: pin }));
      const old = brokersOf(cluster, namespace, pinned.name);
      await old.ready();
      for (const [of, manifest] of [
        [brokers, objects],
        [old, vanillaObjects(pinned)],
      ] as const)
        for (const path of writePaths) {
          const before = { revisions: await of.revisions(), uids: await of.uids() };
          await path.write(cluster, namespace, manifest);
          await of.ready();
          assert.deepEqual(
            { revisions: await of.revisions(), uids: await of.uids() },
            before,
            `${of.set} by ${path.name}`,
          );
        }
      const profile = await kubectl(
        'get',
        'statefulset',
        'pinned',
        '-o',
        `jsonpath={.metadata.annotations.kafka-warden\\.io/profile}`,
      );
      assert.equal(profile, 'apache-kafka/1');
      await kubectl('delete', 'statefulset/pinned', 'service/pinned');
    },
  );

  step('each broker restarts and moves to another node, with its data', async () => {
    for (const pod of await brokers.pods()) await brokers.move(pod);
    assert.equal(await application.consume('orders', 'journey-2', messages), messages);
  });

  step('scaled to 4, the new pod joins as a broker only; back to 3, the rest serves on', async () => {
    await kubectl('scale', 'statefulset', set, '--replicas=4');
    await brokers.ready();
    assert.match(
      await cluster.logs(`${set}-3`, namespace),
      /node 3 is not among the quorum's voters: starting as a broker/,
    );
    await until('broker 3 is registered', async () => {
      const status = await kubectl('get', 'kafkacluster', set, '-o', 'json');
      return /"pod": ?"kafka-3"/.test(status.replaceAll('\n', ' '));
    });
    await kubectl('scale', 'statefulset', set, '--replicas=3');
    await brokers.ready();
    assert.equal(await application.consume('orders', 'journey-3', messages), messages);
  });

  step('a deleted sidecar is put back, and its edits are repaired', async () => {
    await kubectl('delete', 'deployment', `${set}-kafka-warden`);
    await until(
      'the sidecar is back',
      async () =>
        (await kubectl(
          'get',
          'deployment',
          `${set}-kafka-warden`,
          '-o',
          'jsonpath={.status.readyReplicas}',
        )) === '1',
    );
    await kubectl('scale', 'deployment', `${set}-kafka-warden`, '--replicas=0');
    await until(
      'it has one replica again',
      async () =>
        (await kubectl('get', 'deployment', `${set}-kafka-warden`, '-o', 'jsonpath={.spec.replicas}')) ===
        '1',
    );
  });

  step('a lost disk is not formatted until a person confirms it', async () => {
    const pod = `${set}-1`;
    await until('the disks are recorded', async () =>
      /kafka-1\.formatted/.test(
        await kubectl('get', 'secret', `${set}-kafka-keys`, '-o', 'jsonpath={.data}'),
      ),
    );
    const uid = (await brokers.uids())[pod] ?? '';
    await kubectl('delete', 'pvc', `data-${pod}`, '--wait=false');
    await kubectl('delete', 'pod', pod);
    await until('the launcher says what it waits for', async () =>
      /the volume of kafka-1 is empty/.test(await cluster.logs(pod, namespace)),
    );
    await kubectl('wait', `kafkacluster/${set}`, '--for=condition=LostDisk', '--timeout=60s');
    await kubectl('annotate', 'statefulset', set, `kafka-warden.io/confirm-empty-disk=${pod}`);
    await brokers.cameBack(pod, uid);
    await kubectl('annotate', 'statefulset', set, 'kafka-warden.io/confirm-empty-disk-');
    assert.equal(await application.consume('orders', 'journey-4', messages), messages);
  });

  step('a cluster that is re-created with fresh claims starts', async () => {
    await kubectl('delete', 'statefulset', set);
    await endPods(cluster, namespace);
    await kubectl('delete', 'pvc', '--all', '--timeout=60s');
    await cluster.apply(vanillaManifest({ name: set, namespace, image }));
    await brokers.ready();
  });

  step('an enrolled namespace with a running cluster begins to end', async () => {
    await cluster.kubectl(['delete', 'namespace', namespace, '--wait=false']);
  });

  // The last broker waits up to five minutes for a quorum that has left, and the namespace controller looks again only after half
  // of the pods' grace period.
  step('and is gone by itself', async () => {
    await cluster.kubectl(['wait', `namespace/${namespace}`, '--for=delete', '--timeout=600s']);
  });
}
