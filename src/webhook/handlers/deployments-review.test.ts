import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { keys } from '../../names.ts';
import { maxWarningLength } from '../response.ts';
import type { JsonObject, Review } from '../review.ts';
import { reviewDeployment } from './deployments-review.ts';

const review = (object: JsonObject, kind = 'Deployment'): Review => ({
  uid: 'u',
  operation: 'CREATE',
  namespace: 'shop',
  name: 'kafka',
  kind,
  dryRun: false,
  username: 'alice',
  object,
  oldObject: undefined,
});

const deployment = (container: object, kind = 'Deployment', labels = {}): JsonObject => ({
  apiVersion: 'apps/v1',
  kind,
  metadata: { name: 'kafka', labels },
  spec: {
    replicas: 1,
    template: { metadata: {}, spec: { containers: [{ name: 'main', ...container }] } },
  },
});

function warningsFor(object: JsonObject, kind?: string): readonly string[] {
  const answer = reviewDeployment(review(object, kind));
  assert.ok(answer.allowed);
  assert.equal(answer.patch, undefined);
  return answer.warnings ?? [];
}

test('the author of a broker in a Deployment or DaemonSet is told what to use instead', () => {
  const brokers = [
    { image: 'apache/kafka:4.1.0' },
    { image: 'registry.example.com/apache/kafka:3.9.1', command: ['/etc/kafka/docker/run'] },
    { image: 'wurstmeister/kafka', env: [{ name: 'KAFKA_ADVERTISED_HOST_NAME', value: 'kafka' }] },
    { image: 'example.com/own:1', env: [{ name: 'KAFKA_PROCESS_ROLES', value: 'broker' }] },
  ];
  for (const container of brokers)
    for (const kind of ['Deployment', 'DaemonSet']) {
      const [first, why, ...more] = warningsFor(deployment(container, kind), kind);
      assert.match(first ?? '', new RegExp(`this ${kind} runs Kafka, and is left as it is`), container.image);
      assert.match(why ?? '', /\[workload-kind\] .+ StatefulSet/);
      assert.ok((why ?? '').length <= maxWarningLength);
      assert.deepEqual(more, []);
    }
});

test('what only has to do with Kafka, or opted out, is no business of ours', () => {
  const others = [
    { image: 'provectuslabs/kafka-ui', env: [{ name: 'KAFKA_CLUSTERS_0_NAME', value: 'x' }] },
    { image: 'danielqsj/kafka-exporter' },
    { image: 'apache/kafka:4.1.0', command: ['/opt/kafka/bin/connect-distributed.sh'] },
    { image: 'postgres:17' },
  ];
  for (const container of others) assert.deepEqual(warningsFor(deployment(container)), [], container.image);
  const ignored = deployment({ image: 'apache/kafka:4.1.0' }, 'Deployment', { [keys.ignore]: 'true' });
  assert.deepEqual(warningsFor(ignored), []);
});

test('any object is let through', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.jsonValue(), (metadata, template) => {
      warningsFor({ kind: 'Deployment', metadata, spec: { template } });
      warningsFor({ kind: 'Deployment', metadata, spec: template });
    }),
  );
});
