import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { issueLeaf, wardenSubject } from '../../certs/index.ts';
import { connectAdmin } from '../../src/kafka/index.ts';
import { harden } from '../../src/hardening/index.ts';
import type { StatefulSet } from '../../src/hardening/index.ts';
import type { Kube } from '../../src/kubernetes/client.ts';
import { paths } from '../../src/kubernetes/paths.ts';
import type { Secret } from '../../src/sidecar/objects.ts';
import type { ClusterStatus, KafkaCluster } from '../../src/sidecar/status/kafka-cluster.ts';
import type { KafkaUser } from '../../src/sidecar/users/kafka-user.ts';
import { type Cluster, clusterUnavailable, images, startCluster } from '../cluster/index.ts';
import { type LocalSidecar, kubeOf, startSidecar } from '../support/sidecar.ts';
import { until } from '../support/until.ts';
import { vanillaObjects } from '../support/vanilla.ts';
import { installWarden } from '../support/warden.ts';

const reason = clusterUnavailable();
const port = 18_090;

/** A tool of the Kafka image in a pod that mounts a user's Secret as `client.properties` expects it. */
const clientPod = (namespace: string, user: string) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'client', namespace },
  spec: {
    terminationGracePeriodSeconds: 0,
    containers: [
      {
        name: 'client',
        image: images.kafka41,
        command: ['sleep', '3600'],
        volumeMounts: [{ name: 'user', mountPath: '/etc/kafka-user' }],
      },
    ],
    volumes: [{ name: 'user', secret: { secretName: `${user}-kafka-user` } }],
  },
});

void suite('the sidecar of a hardened cluster', { skip: reason ?? false }, () => {
  const namespace = `sidecar-${process.pid}`;
  const place = { namespace, name: 'kafka', port };
  let cluster: Cluster;
  let kube: Kube;
  let sidecar: LocalSidecar;

  const secret = (name: string) => kube.get<Secret>(paths.secrets(namespace, name));
  const status = async () =>
    (await kube.tryGet<KafkaCluster>(paths.kafkaclusters(namespace, 'kafka')))?.status ?? {};
  const condition = async (type: string) => (await status()).conditions?.find((one) => one.type === type);
  const user = (name: string) => kube.tryGet<KafkaUser>(paths.kafkausers(namespace, name));
  const userReady = async (name: string) => (await user(name))?.status?.conditions?.[0];
  const kubectl = (...args: string[]) => cluster.kubectl(['-n', namespace, ...args]);
  const applyUser = (name: string, spec: object) =>
    cluster.apply({
      apiVersion: 'kafka-warden.io/v1alpha1',
      kind: 'KafkaUser',
      metadata: { name, namespace },
      spec: { cluster: 'kafka', ...spec },
    });
  const tool = (...args: string[]) => kubectl('exec', 'client', '--', ...args);
  const shell = (script: string) => tool('bash', '-c', script);

  before(async () => {
    cluster = await startCluster();
    kube = await kubeOf(cluster);
    if (process.env['WARDEN_CRDS_ONLY'] === undefined) await installWarden(cluster);
    await cluster.kubectl(['create', 'namespace', namespace]);
    sidecar = await startSidecar(cluster, place);
    const objects = vanillaObjects({ name: 'kafka', namespace }).map((object) =>
      'kind' in object && object.kind === 'StatefulSet'
        ? harden(object as StatefulSet, { namespace }).workload
        : object,
    );
    await cluster.apply(objects);
  });

  after(async () => {
    await sidecar.stop();
    await cluster.kubectl(['delete', 'namespace', namespace, '--ignore-not-found', '--timeout=120s']);
    await cluster[Symbol.asyncDispose]();
  });

  test('the keystores are there within ten seconds, and the cluster becomes ready', async () => {
    const keys = await until(
      'the keys Secret is there',
      () => kube.tryGet<Secret>(paths.secrets(namespace, 'kafka-kafka-keys')),
      {
        timeoutMs: 10_000,
        everyMs: 100,
      },
    );
    for (const entry of ['kafka-0.p12', 'kafka-0.controller.p12', 'kafka-5.p12', 'nodes.p12', 'password']) {
      assert.ok(keys.data?.[entry], entry);
    }
    await until('the cluster is ready', async () => (await condition('Ready'))?.status === 'True');
    const settled = await until('the minimum of in-sync replicas and all certificates are told', async () => {
      const now = await status();
      return now.minInsyncReplicas !== undefined && now.certificates?.length === 6 ? now : undefined;
    });
    const { brokers, quorum, clusterId, minInsyncReplicas } = settled;
    assert.deepEqual(
      brokers?.map(({ pod, registered, ready }) => ({ pod, registered, ready })),
      [0, 1, 2].map((id) => ({ pod: `kafka-${id}`, registered: true, ready: true })),
    );
    assert.deepEqual(quorum?.voters, [0, 1, 2]);
    assert.equal(clusterId?.length, 22);
    assert.equal(minInsyncReplicas, 2);
  });

  test('its health, metrics and readiness are served', async () => {
    const get = async (path: string) => (await fetch(`http://127.0.0.1:${sidecar.port}${path}`)).text();
    assert.equal(await get('/readyz'), 'ok\n');
    const metrics = await until('the brokers are counted', async () => {
      const text = await get('/metrics');
      return /kafka_warden_brokers_registered\{cluster="kafka"\} 3/.test(text) && text;
    });
    assert.match(metrics, /kafka_warden_lease_held\{cluster="kafka"\} 1/);
    assert.match(metrics, /kafka_warden_certificate_expiry_seconds\{pod="kafka-0",store="CONTROLLER"/);
  });

  test('each node’s disk is recorded once its broker runs', async () => {
    const data = await until('three disks are recorded', async () => {
      const entries = (await secret('kafka-kafka-keys')).data ?? {};
      return Object.keys(entries).filter((key) => key.endsWith('.formatted')).length === 3 && entries;
    });
    const claim = await kubectl('get', 'pvc', 'data-kafka-1', '-o', 'jsonpath={.metadata.uid}');
    assert.equal(Buffer.from(data['kafka-1.formatted'] ?? '', 'base64').toString(), claim);
  });

  test('a KafkaUser can produce and consume with nothing but its Secret, and only what it may', async () => {
    await applyUser('alice', {
      acls: [
        {
          resource: { type: 'topic', name: 'orders', pattern: 'prefixed' },
          operations: ['Create', 'Read', 'Write', 'Describe'],
        },
        { resource: { type: 'group', name: 'alice' }, operations: ['Read'] },
      ],
    });
    await until('alice is ready', async () => (await userReady('alice'))?.status === 'True');
    await cluster.apply(clientPod(namespace, 'alice'));
    await kubectl('wait', 'pod/client', '--for=condition=Ready', '--timeout=60s');
    const server = `--bootstrap-server "$(cat /etc/kafka-user/bootstrap.servers)"`;
    const bin = '/opt/kafka/bin';
    await shell(
      `seq 1 100 | ${bin}/kafka-console-producer.sh ${server} --producer.config /etc/kafka-user/client.properties --topic orders-1`,
    );
    const read = await shell(
      `${bin}/kafka-console-consumer.sh ${server} --consumer.config /etc/kafka-user/client.properties --topic orders-1 --group alice --from-beginning --max-messages 100 --timeout-ms 30000`,
    );
    assert.deepEqual(read.match(/^\d+$/gm)?.length, 100);
    const refused = await shell(
      `echo x | ${bin}/kafka-console-producer.sh ${server} --producer.config /etc/kafka-user/client.properties --producer-property max.block.ms=8000 --topic secret 2>&1 || true`,
    );
    assert.match(refused, /TOPIC_AUTHORIZATION_FAILED|Not authorized/);
  });

  test('names that Kafka could take for a super user are refused in the status', async () => {
    await applyUser('mallory', { username: 'bob' });
    await until('bob is ready', async () => (await userReady('mallory'))?.status === 'True');
    await applyUser('twin', { username: 'bob' });
    const taken = await until('the second bob is told', () => userReady('twin'));
    assert.equal(taken.reason, 'NameTaken');
    await kubectl('delete', 'kafkauser', 'mallory', 'twin');
  });

  test('a password that is changed in the Secret is the one that counts', async () => {
    const data = { password: Buffer.from('chosen-by-hand-1').toString('base64') };
    await kube.patch(paths.secrets(namespace, 'alice-kafka-user'), { data }, 'merge');
    const properties = await until('the Secret is whole again', async () => {
      const text = Buffer.from(
        (await secret('alice-kafka-user')).data?.['client.properties'] ?? '',
        'base64',
      ).toString();
      return text.includes('chosen-by-hand-1') && text;
    });
    await tool('bash', '-c', `cat > /tmp/client.properties <<'END'\n${properties}\nEND`);
    await until('the new password logs in', async () =>
      shell(
        `/opt/kafka/bin/kafka-topics.sh --bootstrap-server "$(cat /etc/kafka-user/bootstrap.servers)" --command-config /tmp/client.properties --list`,
      ),
    );
  });

  test('with nothing to do it writes nothing, also after a restart', async () => {
    const watched = [
      paths.secrets(namespace, 'kafka-kafka-keys'),
      paths.secrets(namespace, 'kafka-kafka-authority'),
      paths.secrets(namespace, 'alice-kafka-user'),
      paths.configmaps(namespace, 'kafka-kafka-trust'),
      paths.services(namespace, 'kafka-kafka-bootstrap'),
      paths.poddisruptionbudgets(namespace, 'kafka-kafka-warden'),
      paths.kafkausers(namespace, 'alice'),
      paths.kafkaclusters(namespace, 'kafka'),
      paths.statefulsets(namespace, 'kafka'),
    ];
    const versions = async () => {
      const objects = await Promise.all(
        watched.map((path) =>
          kube.get<{ metadata: { resourceVersion: string }; status?: Partial<ClusterStatus> }>(path),
        ),
      );
      return objects.map(({ metadata, status: told }, index) => ({
        path: watched[index],
        version: metadata.resourceVersion,
        ...(watched[index]?.includes('/kafkaclusters/') ? { told } : {}),
      }));
    };
    await until('every figure is told as it stays', async () => {
      const { underReplicatedPartitions, users, certificates = [], largestReplication } = await status();
      const settled = underReplicatedPartitions === 0 && users?.total === 1 && users.ready === 1;
      // How many replicas topics have is read every minute.
      if (largestReplication?.replicas !== 3) return false;
      return settled && certificates.every(({ presentedNotAfter }) => presentedNotAfter !== undefined);
    });
    let before = await versions();
    await until('nothing is written for as long as figures are held back', async () => {
      const earlier = before;
      await new Promise((resolve) => setTimeout(resolve, 12_000));
      before = await versions();
      return isDeepStrictEqual(before, earlier);
    });
    await sidecar.stop();
    sidecar = await startSidecar(cluster, place);
    await until('the new process has seen the brokers', async () =>
      /brokers_registered\{cluster="kafka"\} 3/.test(
        await (await fetch(`http://127.0.0.1:${port}/metrics`)).text(),
      ),
    );
    await new Promise((resolve) => setTimeout(resolve, 15_000)); // the absence of something cannot be awaited
    assert.deepEqual(await versions(), before);
  });

  test('an edited keys Secret is put right under the same password', async () => {
    const path = paths.secrets(namespace, 'kafka-kafka-keys');
    const before = await secret('kafka-kafka-keys');
    const junk = Buffer.from('junk').toString('base64');
    await kube.patch(path, { data: { password: junk, 'kafka-1.p12': junk } }, 'merge');
    const after = await until('the Secret is whole again', async () => {
      const now = await secret('kafka-kafka-keys');
      return (
        now.data?.['password'] === before.data?.['password'] && now.data?.['kafka-1.p12'] !== junk && now
      );
    });
    assert.equal(after.data?.['kafka-0.p12'], before.data?.['kafka-0.p12']);
    const events = await kubectl('get', 'events', '--field-selector', 'reason=KeysRepaired', '-o', 'name');
    assert.notEqual(events.trim(), '');
  });

  test('a damaged authority is reported and never replaced', async () => {
    const path = paths.secrets(namespace, 'kafka-kafka-authority');
    const before = await secret('kafka-kafka-authority');
    const junk = Buffer.from('junk').toString('base64');
    await kube.patch(path, { data: { 'tls.key': junk } }, 'merge');
    await until(
      'the damage is told',
      async () => (await condition('CertificatesIssued'))?.reason === 'AuthorityDamaged',
    );
    assert.equal((await secret('kafka-kafka-authority')).data?.['tls.key'], junk);
    await kube.remove(path);
    await until(
      'the loss is told',
      async () => (await condition('CertificatesIssued'))?.reason === 'AuthorityLost',
    );
    const { name, labels } = before.metadata;
    await kube.create(paths.secrets(namespace), { ...before, metadata: { name, namespace, labels } });
    await until('all is well again', async () => (await condition('CertificatesIssued'))?.status === 'True');
  });

  test('a dynamic min.insync.replicas below the layout is raised again', async () => {
    await applyUser('operator', { acls: [{ resource: { type: 'cluster' }, operations: ['All'] }] });
    await until('the operator is ready', async () => (await userReady('operator'))?.status === 'True');
    const properties = Buffer.from(
      (await secret('operator-kafka-user')).data?.['client.properties'] ?? '',
      'base64',
    ).toString();
    await shell(`cat > /tmp/operator.properties <<'END'\n${properties}\nEND`);
    const configs =
      '/opt/kafka/bin/kafka-configs.sh --bootstrap-server "$(cat /etc/kafka-user/bootstrap.servers)" --command-config /tmp/operator.properties --entity-type brokers --entity-default';
    await shell(`${configs} --alter --add-config min.insync.replicas=1`);
    await until('it is 2 again', async () =>
      /min\.insync\.replicas=2/.test(await shell(`${configs} --describe`)),
    );
  });

  test('the admin client tells a foreign certificate, a refusal and silence apart', async () => {
    const pem = async (name: string, key: string) =>
      Buffer.from((await secret(name)).data?.[key] ?? '', 'base64').toString();
    const certificateOf = async (authority: string) => {
      const issuer = {
        certificatePem: await pem(authority, 'tls.crt'),
        privateKeyPem: await pem(authority, 'tls.key'),
      };
      const now = new Date();
      const leaf = issueLeaf(issuer, {
        subject: wardenSubject,
        usages: ['client'],
        now,
        lifetimeMs: 600_000,
      });
      return {
        caPem: await pem('kafka-kafka-authority', 'tls.crt'),
        certificatePem: leaf.chainPem,
        privateKeyPem: leaf.privateKeyPem,
      };
    };
    const { lookup } = cluster;
    const bootstrap = [`kafka-0.kafka.${namespace}.svc:9091`];
    const warden = connectAdmin({ bootstrap, tls: await certificateOf('kafka-kafka-authority'), lookup });
    assert.equal((await warden.describeCluster()).brokers.length, 3);
    assert.equal((await warden.describeQuorum()).voters.length, 3);
    assert.ok((await warden.topics()).some(({ name }) => name === 'orders-1'));
    await assert.rejects(warden.describeConfigs({ type: 'topic', name: 'nowhere' }), {
      code: 'kafka-refused',
      reason: 'UNKNOWN_TOPIC_OR_PARTITION',
    });
    await warden.close();
    await assert.rejects(warden.features(), { code: 'kafka-closed' });
    const foreign = connectAdmin({
      bootstrap,
      tls: await certificateOf('kafka-kafka-clients-authority'),
      lookup,
    });
    await assert.rejects(foreign.features(), { code: 'kafka-tls' });
    await foreign.close();
    const tls = await certificateOf('kafka-kafka-authority');
    const nobody = connectAdmin({ bootstrap: [`kafka-0.kafka.${namespace}.svc:1`], tls, lookup });
    await assert.rejects(nobody.features(), { code: 'kafka-unreachable', mayPassLater: true });
    await nobody.close();
  });

  test('it keeps no budget beside a person’s own', async () => {
    await cluster.apply({
      apiVersion: 'policy/v1',
      kind: 'PodDisruptionBudget',
      metadata: { name: 'mine', namespace },
      spec: { minAvailable: 2, selector: { matchLabels: { app: 'kafka' } } },
    });
    const own = paths.poddisruptionbudgets(namespace, 'kafka-kafka-warden');
    await until('ours is gone', async () => (await kube.tryGet(own)) === undefined);
    await until('it is told', async () => (await condition('BudgetOverlap'))?.status === 'True');
    await kubectl('delete', 'pdb', 'mine');
    await until('ours is back', () => kube.tryGet(own));
  });

  test('a user whose KafkaUser is gone is gone from Kafka, and so is its Secret', async () => {
    const server = `--bootstrap-server "$(cat /etc/kafka-user/bootstrap.servers)"`;
    await kubectl('delete', 'kafkauser', 'alice');
    await until(
      'the Secret is gone',
      async () => (await kube.tryGet(paths.secrets(namespace, 'alice-kafka-user'))) === undefined,
    );
    await until('the login is refused', async () => {
      const said = await shell(
        `timeout 20 /opt/kafka/bin/kafka-topics.sh ${server} --command-config /tmp/client.properties --list 2>&1 || true`,
      );
      return /SaslAuthenticationException|Authentication failed/.test(said);
    });
  });

  test('a lost disk is not silently formatted, and comes back when a person confirms', async () => {
    const gone = await kubectl('get', 'pvc', 'data-kafka-2', '-o', 'jsonpath={.metadata.uid}');
    await kubectl('delete', 'pvc', 'data-kafka-2', '--wait=false');
    await kubectl('delete', 'pod', 'kafka-2', '--wait=true');
    await until('the claim is another one', async () => {
      const uid = await kubectl('get', 'pvc', 'data-kafka-2', '-o', 'jsonpath={.metadata.uid}');
      return uid !== '' && uid !== gone;
    });
    await until('the loss is told', async () => (await condition('LostDisk'))?.status === 'True');
    await until('the launcher waits and says why', async () =>
      /confirm-empty-disk=kafka-2/.test(await kubectl('logs', 'kafka-2', '-c', 'kafka')),
    );
    await kubectl('annotate', 'statefulset', 'kafka', 'kafka-warden.io/confirm-empty-disk=kafka-2');
    await until('all brokers are back', async () => (await condition('Ready'))?.status === 'True', {
      timeoutMs: 180_000,
    });
    const annotation = await kubectl(
      'get',
      'statefulset',
      'kafka',
      '-o',
      'jsonpath={.metadata.annotations.kafka-warden\\.io/confirm-empty-disk}',
    );
    assert.equal(annotation, '');
    const { data = {} } = await secret('kafka-kafka-keys');
    assert.equal(data['kafka-2.format-confirmed'], undefined);
  });

  test('a farewell issues every leaf for a full year and says until when', async () => {
    const before = await secret('kafka-kafka-keys');
    await kubectl('annotate', 'kafkacluster', 'kafka', 'kafka-warden.io/farewell=one');
    const { leavesUntil } = await until('the farewell is told', async () => (await status()).farewell);
    assert.ok(Date.parse(leavesUntil) > Date.now() + 364 * 86_400_000);
    assert.notEqual((await secret('kafka-kafka-keys')).data?.['kafka-0.p12'], before.data?.['kafka-0.p12']);
  });

  test('deleting the namespace completes while users exist, with the sidecar gone', async () => {
    await applyUser('carol', {});
    await until('carol is ready', async () => (await userReady('carol'))?.status === 'True');
    await sidecar.stop();
    // All brokers of a cluster at once: the last one has no quorum left to leave, and would use its whole grace period.
    await kubectl('delete', 'statefulset', 'kafka', '--cascade=orphan');
    await kubectl('delete', 'pods', '--all', '--grace-period=0', '--force');
    await cluster.kubectl(['delete', 'namespace', namespace, '--timeout=120s']);
  });
});
