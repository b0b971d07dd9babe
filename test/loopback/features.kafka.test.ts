import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { type KafkaAdmin, clusterDefault } from '../../src/kafka/index.ts';
import { elrFeature, metadataFeature, metadataVersionName, releaseOf } from '../../src/upgrade/index.ts';
import { supportedBy } from '../../src/upgrade/metadata-versions.ts';
import { ignoredProperties, narrowed } from '../../src/upgrade/removed-properties.ts';
import { type LoopbackKafka, loopbackUnavailable, startLoopback } from '../support/loopback-kafka.ts';
import { until } from '../support/until.ts';

const unavailable = (await loopbackUnavailable()) ?? false;

const addressOf = (kafka: LoopbackKafka) => {
  const [host = '', port] = kafka.bootstrap[0]!.split(':');
  return { host, port: Number(port) };
};

/** What the table of releases says is what the brokers say. */
async function agrees(kafka: LoopbackKafka, admin: KafkaAdmin, release: readonly [number, number]) {
  const { supported } = await admin.featuresOf(addressOf(kafka));
  assert.deepEqual(releaseOf(supported.get(metadataFeature)!.max), release);
  for (const [feature, range] of supported) {
    const known = supportedBy(release, feature);
    if (known !== undefined) assert.deepEqual([feature, range], [feature, known]);
  }
  return supported;
}

void suite('features of Kafka 4.1', { skip: unavailable }, () => {
  let kafka: LoopbackKafka;
  let admin: KafkaAdmin;
  before(async () => {
    kafka = await startLoopback({ line: '4.1', brokers: 1 });
    admin = kafka.admin();
  });
  after(() => kafka.end());

  test('a broker tells what it supports, from level 0 on too, as the table of releases says', async () => {
    const supported = await agrees(kafka, admin, [4, 1]);
    assert.deepEqual(supported.get(elrFeature), { min: 0, max: 1 });
  });

  test('an update is validated without being made, made, and refused where it goes too far or back', async () => {
    const finalized = async () => (await admin.featuresOf(addressOf(kafka))).finalized;
    const before = await finalized();
    assert.equal(metadataVersionName(before.get(metadataFeature)!), '4.1-IV1');
    const far = [{ feature: metadataFeature, level: 99 }];
    const [tooFar] = await admin.updateFeatures(far, { validateOnly: true });
    assert.equal(tooFar?.error?.reason, 'INVALID_UPDATE_VERSION');
    assert.match(tooFar.error.message, /99/);
    const [back] = await admin.updateFeatures([{ feature: metadataFeature, level: 25 }], {
      validateOnly: true,
    });
    assert.match(back?.error?.message ?? '', /downgrade/i);
    assert.deepEqual(await finalized(), before);
  });
});

void suite('features of Kafka 3.9', { skip: unavailable }, () => {
  let kafka: LoopbackKafka;
  let admin: KafkaAdmin;
  before(async () => {
    kafka = await startLoopback({ line: '3.9', brokers: 1 });
    admin = kafka.admin();
  });
  after(() => kafka.end());

  test('a broker tells what it supports, as the table of releases says', async () => {
    const supported = await agrees(kafka, admin, [3, 9]);
    assert.equal(supported.get(elrFeature), undefined);
  });

  test('what its software does not have is refused, and what it has is finalized', async () => {
    const [refused] = await admin.updateFeatures([{ feature: metadataFeature, level: 27 }], {
      validateOnly: false,
    });
    assert.equal(refused?.error?.reason, 'INVALID_UPDATE_VERSION');
    const update = [{ feature: 'kraft.version', level: 0 }];
    assert.equal((await admin.updateFeatures(update, { validateOnly: true })).length, 1);
  });
});

void suite('features of Kafka 3.9 in ZooKeeper mode', { skip: unavailable }, () => {
  let kafka: LoopbackKafka;
  before(async () => (kafka = await startLoopback({ line: '3.9', brokers: 1, zookeeper: true })));
  after(() => kafka.end());

  test('there is nothing to finalize', async () => {
    const admin = kafka.admin();
    const { finalized } = await admin.featuresOf(addressOf(kafka));
    assert.equal(finalized.get(metadataFeature), undefined);
  });
});

void suite('a cluster of Kafka 3.9 that becomes one of 4.1', { skip: unavailable }, () => {
  let kafka: LoopbackKafka;
  before(async () => {
    kafka = await startLoopback({ line: '3.9', brokers: 1 });
  });
  after(() => kafka.end());

  test('finalizes metadata.version, then eligible leader replicas, each when asked', async () => {
    const admin = kafka.admin();
    const level = async (feature: string) => (await admin.features()).get(feature) ?? 0;
    assert.equal(await level(metadataFeature), 21);
    await kafka.upgrade('4.1');
    assert.equal(await level(metadataFeature), 21);
    const early = await admin.updateFeatures([{ feature: elrFeature, level: 1 }], { validateOnly: true });
    assert.notEqual(early[0]?.error, undefined);
    for (const validateOnly of [true, false]) {
      const [done] = await admin.updateFeatures([{ feature: metadataFeature, level: 27 }], { validateOnly });
      assert.equal(done?.error, undefined);
    }
    await until('the level is known', async () => (await level(metadataFeature)) === 27);
    const key = 'min.insync.replicas';
    const minIsr = async () => (await admin.describeConfigs(clusterDefault, [key]))[0]?.value;
    assert.equal(await minIsr(), undefined);
    await admin.incrementalAlterConfigs(clusterDefault, [{ name: key, set: '2' }]);
    await until('the default is there', async () => (await minIsr()) === '2');
    const [on] = await admin.updateFeatures([{ feature: elrFeature, level: 1 }], { validateOnly: false });
    assert.equal(on?.error, undefined);
    await until('the level is known', async () => (await level(elrFeature)) === 1);
    assert.equal(await minIsr(), '2', 'no controller writes its own over it');
  });
});

void suite('settings of 3.9 in Kafka 4.1', { skip: unavailable }, () => {
  test('it starts with everything that is said to be ignored', async () => {
    const config = Object.fromEntries(ignoredProperties.map((name) => [name, '1']));
    const more = { 'zookeeper.connect': 'nowhere:2181', 'password.encoder.secret': 'x' };
    const kafka = await startLoopback({ brokers: 1, config: { ...config, ...more } });
    await kafka.end();
  });

  for (const [name, { least }] of Object.entries(narrowed))
    test(`it does not start with ${name} below ${least}`, async () => {
      const starting = startLoopback({ brokers: 1, config: { [name]: String(least - 1) } });
      await assert.rejects(starting, new RegExp(`has ended[^]*${name.replaceAll('.', '\\.')}`));
    });

  test('it does not start with a class that is gone', async () => {
    const config = { 'authorizer.class.name': 'kafka.security.authorizer.AclAuthorizer' };
    await assert.rejects(startLoopback({ brokers: 1, config }), /has ended[^]*AclAuthorizer/);
  });
});
