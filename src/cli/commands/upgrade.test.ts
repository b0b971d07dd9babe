import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, beforeEach, suite, test } from 'node:test';
import { harden, type StatefulSet } from '../../hardening/index.ts';
import { kafka } from '../../hardening/test/manifest.ts';
import { file, kafkaWarden, plainKafka } from '../test/session.ts';
import { kubeconfigFor } from '../../kubernetes/test/memory-api.ts';

void suite('upgrade check, of manifests', () => {
  const old = `${plainKafka.replace('apache/kafka:4.1.0', 'apache/kafka:3.9.1')}---
apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
data:
  KAFKA_LOG_SEGMENT_BYTES: "1024"
  KAFKA_OFFSETS_COMMIT_REQUIRED_ACKS: "1"
`.replace(
    '          resources:\n',
    '          envFrom: [{configMapRef: {name: settings}}]\n          resources:\n',
  );

  test('says what is in the way of the version that is asked about, ConfigMaps seen through', async () => {
    const { code, out } = await kafkaWarden('upgrade', 'check', '-f', file('old.yaml', old), '--to', '4.1');
    assert.equal(code, 1);
    assert.match(out, /^default\/kafka: Kafka 3\.9 → 4\.1\n/);
    assert.match(
      out,
      / {2}problem log\.segment\.bytes\n {4}log\.segment\.bytes=1024 keeps Kafka 4 from starting/,
    );
    assert.match(out, / {2}warning offsets\.commit\.required\.acks\n/);
    assert.match(out, / {2}warning clients\n/);
  });

  test('without --to it takes the version of the manifest, and says nothing where nothing is', async () => {
    const path = file('new.yaml', old.replace('3.9.1', '3.9.2'));
    const { code, out } = await kafkaWarden('upgrade', 'check', '-f', path);
    assert.deepEqual([code, out], [0, 'default/kafka: Kafka unknown → 3.9\n  nothing is in the way\n']);
  });

  test('says what it cannot take', async () => {
    const path = file('some.yaml', old);
    assert.match(
      (await kafkaWarden('upgrade', 'check', '-f', path, '--to', 'newest')).err,
      /--to takes a version/,
    );
    assert.match((await kafkaWarden('upgrade', 'check')).err, /either a cluster or manifests/);
    const none = file('none.yaml', 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n');
    assert.match((await kafkaWarden('upgrade', 'check', '-f', none)).err, /Nothing in the input runs Kafka/);
  });
});

interface Seen {
  method: string;
  url: string;
  body: string;
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of request as AsyncIterable<Buffer>) text += chunk.toString('utf8');
  return text;
}

void suite('upgrade, of a running cluster', () => {
  let server: Server;
  let kubeconfig: string;
  let answers: Record<string, object>;
  const seen: Seen[] = [];

  before(async () => {
    server = createServer((request, response) => {
      void bodyOf(request).then((body) => {
        const { method = '', url = '' } = request;
        seen.push({ method, url, body });
        const answer = answers[url.split('?')[0] ?? ''];
        const missing = {
          apiVersion: 'v1',
          kind: 'Status',
          code: 404,
          reason: 'NotFound',
          message: 'not found',
        };
        response
          .writeHead(answer === undefined ? 404 : 200, { 'content-type': 'application/json' })
          .end(JSON.stringify(answer ?? missing));
      });
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    kubeconfig = file('upgrade-kubeconfig', kubeconfigFor(port));
  });
  beforeEach(() => void seen.splice(0));
  after(() => {
    server.close();
    server.closeAllConnections();
  });

  const list = (kind: string, ...items: object[]) => ({ kind, metadata: { resourceVersion: '1' }, items });
  const clusters = '/apis/kafka-warden.io/v1alpha1/namespaces/shop/kafkaclusters';
  const sets = '/apis/apps/v1/namespaces/shop/statefulsets';
  const pods = '/api/v1/namespaces/shop/pods';
  const hardened = (): StatefulSet =>
    harden(kafka({ image: 'apache/kafka:4.1.0' }), { namespace: 'shop' }).workload;
  const pod = {
    metadata: { name: 'kafka-0', uid: 'p' },
    spec: { containers: [{ name: 'kafka', image: 'apache/kafka:3.9.1' }] },
  };
  const cluster = (status: object) => ({
    [clusters]: list('KafkaClusterList', { metadata: { name: 'kafka', namespace: 'shop' }, status }),
    [sets]: list('StatefulSetList', hardened()),
    [pods]: list('PodList', pod),
    [`${sets}/kafka`]: hardened(),
  });
  const upgrade = (...args: string[]) => kafkaWarden('upgrade', ...args, '--kubeconfig', kubeconfig);

  test('check goes from what the pods run to what the template says, with what is finalized', async () => {
    answers = cluster({ mode: 'kraft', metadataVersion: '3.9-IV0' });
    const { code, out } = await upgrade('check', 'kafka');
    assert.equal(code, 0);
    assert.match(out, /^shop\/kafka: Kafka 3\.9 → 4\.1\n/);
    assert.doesNotMatch(out, /metadata\.version/);
    answers = cluster({ mode: 'kraft', metadataVersion: '4.1-IV1' });
    const back = await upgrade('check', 'kafka', '--to', '4.0', '--json');
    assert.equal(back.code, 1);
    assert.match(back.out, /finalized at 4\.1-IV1, which Kafka 4\.0 does not have/);
  });

  test('finalize annotates every StatefulSet of the cluster, and only when a person agrees', async () => {
    answers = cluster({ mode: 'kraft', metadataVersion: '3.9-IV0' });
    const asked = await upgrade('finalize', 'kafka', '--metadata-version', '4.1');
    assert.match(asked.err, /Nothing was changed/);
    assert.deepEqual(
      seen.filter(({ method }) => method !== 'GET'),
      [],
    );
    const done = await upgrade(
      'finalize',
      'kafka',
      '--metadata-version',
      '4.1',
      '--eligible-leader-replicas',
      '-y',
    );
    assert.equal(done.code, 0);
    const [write] = seen.filter(({ method }) => method === 'PATCH');
    assert.match(write?.url ?? '', /statefulsets\/kafka/);
    assert.deepEqual(JSON.parse(write?.body ?? ''), {
      metadata: {
        annotations: {
          'kafka-warden.io/metadata-version': '4.1',
          'kafka-warden.io/eligible-leader-replicas': 'true',
        },
      },
    });
  });

  test('finalize refuses what goes back, what comes too early, and what is no version', async () => {
    answers = cluster({ mode: 'kraft', metadataVersion: '4.0-IV3' });
    const back = await upgrade('finalize', 'kafka', '--metadata-version', '3.9', '-y');
    assert.deepEqual([back.code, /does not go back to 3\.9-IV0/.test(back.err)], [3, true]);
    assert.equal((await upgrade('finalize', 'kafka', '--metadata-version', 'x', '-y')).code, 2);
    assert.equal((await upgrade('finalize', 'kafka', '-y')).code, 2);
    answers = cluster({ mode: 'kraft', metadataVersion: '3.9-IV0' });
    assert.match(
      (await upgrade('finalize', 'kafka', '--eligible-leader-replicas', '-y')).err,
      /4\.0-IV1 or later/,
    );
    answers = cluster({ mode: 'zookeeper' });
    assert.match(
      (await upgrade('finalize', 'kafka', '--metadata-version', '4.1', '-y')).err,
      /ZooKeeper mode/,
    );
    assert.match((await upgrade('finalize', 'other', '--metadata-version', '4.1', '-y')).err, /Known: kafka/);
  });
});
