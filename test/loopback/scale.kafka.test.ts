import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { type KafkaAdmin, readView } from '../../src/kafka/index.ts';
import { type LoopbackKafka, loopbackUnavailable, startLoopback } from '../support/loopback-kafka.ts';
import { until } from '../support/until.ts';

const unavailable = (await loopbackUnavailable()) ?? false;

for (const line of ['4.1', '3.9'] as const)
  void suite(`a broker that leaves for good, with Kafka ${line}`, { skip: unavailable }, () => {
    let kafka: LoopbackKafka;
    let admin: KafkaAdmin;
    const leaving = { type: 'broker', name: '1' } as const;
    const settingsOf = async () =>
      (await admin.describeConfigs(leaving))
        .filter(({ source }) => source === 'broker')
        .map(({ name }) => name);
    const viewOf = async () => {
      const [host = '', port = ''] = (kafka.bootstrap[0] ?? '').split(':');
      return readView(await admin.viewOf({ host, port: Number(port) }));
    };
    const listed = async () => (await admin.describeCluster()).brokers.map(({ id }) => id).sort();

    before(async () => {
      // The first is the controller too, the second a broker only.
      kafka = await startLoopback({ brokers: 2, line });
      admin = kafka.admin();
      await kafka.createTopic('orders', [[0]]);
    });
    after(() => kafka.end());

    test('its own settings are removed while it can be asked', async () => {
      const set = [{ name: 'log.cleaner.backoff.ms', set: '16000' }] as const;
      await admin.incrementalAlterConfigs(leaving, set, { broker: 1 });
      await until('it has them', async () => (await settingsOf()).includes('log.cleaner.backoff.ms'), {
        everyMs: 100,
      });
      const remove = (await settingsOf()).map((name) => ({ name, remove: true }) as const);
      await admin.incrementalAlterConfigs(leaving, remove, { broker: 1 });
      await until('they are gone', async () => (await settingsOf()).length === 0, { everyMs: 100 });
    });

    test('what others see of it tells when it is fenced; then it is forgotten, and that may be asked twice', async () => {
      assert.ok((await viewOf()).serving.includes(1));
      await kafka.stop(1);
      await until('it is fenced', async () => !(await viewOf()).serving.includes(1), { everyMs: 100 });
      if (line === '4.1') assert.deepEqual(await listed(), [0, 1]);
      await admin.unregisterBroker(1);
      await until('it is forgotten', async () => !(await listed()).includes(1), { everyMs: 100 });
      await admin.unregisterBroker(1);
    });

    test('one of its id that comes later is taken up again, with nothing of its settings', async () => {
      await kafka.start(1);
      assert.deepEqual(await listed(), [0, 1]);
      assert.deepEqual(await settingsOf(), []);
    });
  });
