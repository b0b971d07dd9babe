import assert from 'node:assert/strict';
import { test } from 'node:test';
import { harden } from './index.ts';
import { kafka, type Parts } from './test/manifest.ts';

const unfit = (parts: Parts) =>
  harden(kafka(parts), { namespace: 'demo' }).findings.filter((f) =>
    f.message.startsWith('the cluster id is'),
  );

const formatting = (id: string, version = '3.7.1'): Parts => ({
  image: `apache/kafka:${version}`,
  container: {
    volumeMounts: [{ name: 'data', mountPath: '/var/lib/kafka/data' }],
    env: [{ name: 'OUR_ID', value: 'orders' }],
    command: [
      'bash',
      '-c',
      `bin/kafka-storage.sh format --ignore-formatted --cluster-id ${id} --config my.properties && exec bin/kafka-server-start.sh my.properties`,
    ],
  },
});

test('a name is no cluster id for Kafka before 3.9, wherever the manifest has it', () => {
  const [byVariable] = unfit({ image: 'apache/kafka:3.8.0', env: { CLUSTER_ID: 'orders-cluster' } });
  assert.equal(byVariable?.severity, 'error');
  assert.equal(byVariable?.path, '/spec/template/spec/containers/0/env/0');
  assert.match(byVariable?.message ?? '', /orders-cluster, which Kafka 3\.8 does not format/);
  assert.equal(unfit(formatting('orders-1'))[0]?.path, '/spec/template/spec/containers/0/command/2');
  assert.match(unfit(formatting('"$OUR_ID"'))[0]?.message ?? '', /is orders,/);
});

test('later versions take it, and what is drawn or cannot be read is not judged', () => {
  assert.deepEqual(unfit({ image: 'apache/kafka:3.9.1', env: { CLUSTER_ID: 'orders-cluster' } }), []);
  assert.deepEqual(unfit(formatting('orders-1', '4.1.0')), []);
  assert.deepEqual(unfit(formatting('$(bin/kafka-storage.sh random-uuid)')), []);
  assert.deepEqual(unfit(formatting('$FROM_ELSEWHERE')), []);
  assert.deepEqual(unfit(formatting('MkU3OEVBNTcwNTJENDM2Qk')), []);
  assert.deepEqual(
    unfit({ image: 'apache/kafka:3.8.0', env: { CLUSTER_ID: 'MkU3OEVBNTcwNTJENDM2Qg==' } }),
    [],
  );
});
