import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { harden } from '../hardening/index.ts';
import type { JsonObject } from '../hardening/tree.ts';
import { findingsOf, leftAlone, said, set } from './test/objects.ts';

const data = { name: 'data', mountPath: '/var/lib/kafka/data' };
const omitted = ['shutdown', 'spread', 'probes', 'pod-security'];

suite('what a manifest leaves out', () => {
  test('is a warning where nobody adds it, and news where hardening does', () => {
    const severities = (value: JsonObject, rule: string) =>
      findingsOf(value)
        .filter((f) => f.rule === rule)
        .map((f) => f.severity);
    for (const rule of ['shutdown', 'spread', 'probes']) {
      assert.deepEqual(severities(leftAlone(), rule), ['warning'], rule);
      assert.deepEqual(severities(set(), rule), ['info'], rule);
    }
  });

  test('is not missed in a hardened set', () => {
    const { workload } = harden(set(), { namespace: 'shop' });
    const found = findingsOf(workload as unknown as JsonObject).filter((f) => omitted.includes(f.rule));
    assert.deepEqual(found, []);
  });

  test('is silent where the manifest has it', () => {
    const complete = leftAlone({
      container: { readinessProbe: { tcpSocket: { port: 9092 } }, volumeMounts: [data] },
      pod: {
        terminationGracePeriodSeconds: 400,
        securityContext: { fsGroup: 1001 },
        topologySpreadConstraints: [
          { maxSkew: 1, topologyKey: 'kubernetes.io/hostname', whenUnsatisfiable: 'DoNotSchedule' },
        ],
      },
    });
    for (const rule of omitted) assert.deepEqual(said(rule, complete), [], rule);
  });

  test('fsGroup is missed on a disk only, and not where an init container or root makes do', () => {
    const group = (parts: Parameters<typeof set>[0]) =>
      said('pod-security', set(parts)).filter((f) => f.includes('fsGroup'));
    assert.equal(group({}).length, 1);
    assert.deepEqual(group({ claim: false }), []);
    assert.deepEqual(group({ pod: { securityContext: { runAsUser: 0 } } }), []);
    const chown = { name: 'own', image: 'busybox', command: ['sh', '-c', 'chown -R 1000 /data'] };
    assert.deepEqual(group({ pod: { initContainers: [chown] } }), []);
  });
});

suite('liveness probes', () => {
  const liveness = (livenessProbe: object, others: object = {}) =>
    said(
      'probes',
      set({
        container: {
          livenessProbe,
          readinessProbe: { tcpSocket: { port: 9092 } },
          volumeMounts: [data],
          ...others,
        },
      }),
    );

  test('that kill during recovery are found', () => {
    assert.match(
      liveness({ tcpSocket: { port: 9092 }, initialDelaySeconds: 30 }).join(),
      /60 seconds after its start/,
    );
    assert.match(
      liveness({ exec: { command: ['kafka-topics.sh', '--list'] }, initialDelaySeconds: 900 }).join(),
      /starts kafka-topics\.sh each time/,
    );
  });

  test('that wait, or come after a startup probe, are silent', () => {
    assert.deepEqual(liveness({ tcpSocket: { port: 9092 }, initialDelaySeconds: 600 }), []);
    assert.deepEqual(
      liveness(
        { tcpSocket: { port: 9092 } },
        { startupProbe: { tcpSocket: { port: 9092 }, failureThreshold: 180 } },
      ),
      [],
    );
  });
});

suite('the number of replicas', () => {
  test('of new topics is missed where the configuration shows that it is not set', () => {
    const env = { KAFKA_ZOOKEEPER_CONNECT: 'zk:2181' };
    assert.match(said('durability', leftAlone({ env })).join(), /default\.replication\.factor is not set/);
    assert.deepEqual(
      said('durability', leftAlone({ env: { ...env, KAFKA_DEFAULT_REPLICATION_FACTOR: '3' } })),
      [],
    );
    assert.deepEqual(said('durability', leftAlone({ env, spec: { replicas: 1 } })), []);
    const unseen = leftAlone({
      container: {
        env: [{ name: 'A', value: 'b' }],
        envFrom: [{ secretRef: { name: 'x' } }],
        volumeMounts: [data],
      },
    });
    assert.deepEqual(said('durability', unseen), []);
  });
});

test('a set that hardening leaves alone with nothing but PLAINTEXT listeners is said to be open', () => {
  const env = { KAFKA_LISTENERS: 'PLAINTEXT://:9092' };
  assert.equal(
    said('listeners', leftAlone({ env })).filter((f) => f.includes('reads and writes everything')).length,
    1,
  );
  assert.deepEqual(
    said('listeners', leftAlone({ env: { KAFKA_LISTENERS: 'PLAINTEXT://127.0.0.1:9092' } })).filter((f) =>
      f.includes('reads and writes'),
    ),
    [],
  );
});
