import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keys } from '../../names.ts';
import type { ClusterSet } from '../cluster-set.ts';
import { brokers, controllers } from '../test/sets.ts';
import { kafkaVersionOf } from './kafka-version.ts';

const of = (
  image: string,
  profile: string,
  annotations: Record<string, string> = {},
  set = brokers,
): ClusterSet => ({
  ...set,
  object: {
    metadata: { ...set.object.metadata, annotations: { [keys.profile]: profile, ...annotations } },
    spec: {
      selector: {},
      serviceName: '',
      template: { spec: { containers: [{ name: 'kafka', image, env: [{ name: 'WARDEN_POD' }] }] } },
    },
  },
});

test('the version is Kafka’s, also where the image has one of its own', () => {
  assert.equal(kafkaVersionOf([of('apache/kafka:4.1.0', 'apache-kafka/2')]), '4.1.0');
  assert.equal(kafkaVersionOf([of('confluentinc/cp-kafka:7.9.2', 'cp-kafka/1')]), '3.9');
  assert.equal(kafkaVersionOf([of('confluentinc/cp-kafka:8.1.0-1-ubi9', 'cp-kafka/1')]), '4.1');
  assert.equal(kafkaVersionOf([of('apache/kafka:latest', 'apache-kafka/2')]), undefined);
});

test('an annotation counts before the tag, and sets that serve before others', () => {
  assert.equal(
    kafkaVersionOf([of('apache/kafka:latest', 'apache-kafka/3', { [keys.kafkaVersion]: '4.0' })]),
    '4.0',
  );
  const voting = of('apache/kafka:4.1.0', 'apache-kafka/3', {}, controllers);
  assert.equal(kafkaVersionOf([voting, of('apache/kafka:4.0.0', 'apache-kafka/3')]), '4.0.0');
  assert.equal(kafkaVersionOf([voting]), '4.1.0');
});
