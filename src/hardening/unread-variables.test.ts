import assert from 'node:assert/strict';
import { test } from 'node:test';
import { harden } from './index.ts';
import { kafka } from './test/manifest.ts';

const unread = (script: string): string[] =>
  harden(
    kafka({
      container: {
        volumeMounts: [{ name: 'data', mountPath: '/var/lib/kafka/data' }],
        env: [
          { name: 'KAFKA_HEAP_OPTS', value: '-Xmx512m' },
          { name: 'KAFKA_NUM_PARTITIONS', value: '6' },
          { name: 'KAFKA_MIN_INSYNC_REPLICAS', value: '1' },
        ],
        command: ['sh', '-c', script],
      },
    }),
    { namespace: 'demo' },
  ).findings.flatMap((f) => (f.rule === 'unread-variables' ? [f.message] : []));

const start = 'exec /opt/kafka/bin/kafka-server-start.sh /opt/kafka/config/server.properties';

test('variables that a script does not use are found where it starts Kafka with a file', () => {
  const formats =
    'if [ ! -f /d/meta.properties ]; then /opt/kafka/bin/kafka-storage.sh random-uuid >/tmp/id; fi';
  for (const script of [start, `${formats}\n${start}`])
    assert.match(unread(script).join(), /^KAFKA_NUM_PARTITIONS and 1 more have no effect/);
  const uses = `echo "num.partitions=$KAFKA_NUM_PARTITIONS" >>/opt/kafka/config/server.properties\n${start}`;
  assert.match(unread(uses).join(), /^KAFKA_MIN_INSYNC_REPLICAS has no effect/);
});

test('a script that may read them without naming them is believed', () => {
  for (const line of [
    'env | sed -n "s/^KAFKA_//p" >>/opt/kafka/config/server.properties',
    'envsubst <in.properties >/opt/kafka/config/server.properties',
    '. /scripts/functions',
    'source /scripts/functions',
    'echo "${!KAFKA_@}"',
    '/scripts/configure',
    'python3 -c "import os; print(os.environ)" >/opt/kafka/config/server.properties',
  ])
    assert.deepEqual(unread(`${line}\n${start}`), [], line);
});
