import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { connectAdmin } from '../../../src/kafka/index.ts';
import { type Surroundings, surroundings } from '../../../src/sidecar/gate/test/surroundings.ts';
import { type LoopbackKafka, loopbackUnavailable, startLoopback } from '../../support/loopback-kafka.ts';
import { until } from '../../support/until.ts';

const unavailable = (await loopbackUnavailable()) ?? false;

/** Without a quorum to ask, every in-sync replica has to be stable, and the views name one controller. */
void suite('evictions of brokers of a cluster with ZooKeeper', { skip: unavailable }, () => {
  let kafka: LoopbackKafka;
  let around: Surroundings;
  const stop = new AbortController();
  const ask = () => around.ask(1, { dryRun: true });

  before(async () => {
    const config = { 'replica.lag.time.max.ms': '3000' };
    kafka = await startLoopback({ line: '3.9', zookeeper: true, brokers: 3, config });
    await kafka.createTopic('orders', [[0, 1, 2]], { 'min.insync.replicas': '2' });
    const link = connectAdmin({
      bootstrap: kafka.bootstrap,
      tls: kafka.tls,
      connectTimeoutMs: 500,
      requestTimeoutMs: 2_000,
      signal: stop.signal,
    });
    around = surroundings({ kafka: link });
    void around.gate.run(stop.signal);
  });
  after(async () => {
    stop.abort();
    await kafka.end();
  });

  test('may go once in-sync replicas are known to be stable, and not while another broker is gone', async () => {
    await until('1 may go', async () => (await ask()).verdict === 'allow', {
      timeoutMs: 30_000,
      everyMs: 300,
    });
    await kafka.kill(0);
    const answer = await ask();
    assert.equal(answer.verdict, 'deny');
    await until('the partition is named', async () => {
      const later = await ask();
      return later.verdict === 'deny' && /1 partition would fall below/.test(later.message);
    });
  });
});
