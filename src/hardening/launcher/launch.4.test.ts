import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { endOf, listenTo, podIn, startIn, type Started } from '../test/launched-pod.ts';

/** What this launcher does otherwise than the one before; the rest of its promises are in `launch.3.test.ts`. */
const script = join(import.meta.dirname, 'launch.4.sh');

let shared: string;
before(async () => (shared = await mkdtemp(join(tmpdir(), 'launcher-4-'))));
after(() => rm(shared, { recursive: true, force: true }));

const settings = `
node.id=@ordinal
controller.listener.names=CONTROLLER
controller.quorum.voters?=@voters
listeners=CLIENT://:9092,INTERNAL://:9091,CONTROLLER://:9093
advertised.listeners=CLIENT://kafka-0.brokers.demo.svc:9092,INTERNAL://kafka-0.brokers.demo.svc:9091
listener.security.protocol.map=CLIENT:SASL_SSL,INTERNAL:SSL,CONTROLLER:SSL
inter.broker.listener.name=INTERNAL
log.dirs?=/tmp/data
`;

interface Options {
  /** What comes by `envFrom`. */
  environment?: Record<string, string>;
  /** The file that `kafka-server-start.sh` is given; without one the image's own entrypoint is started. */
  file?: string;
}

async function launch({ environment = {}, file }: Options): Promise<Started> {
  const pod = await podIn(shared);
  if (file !== undefined) await writeFile(join(pod.root, 'server.properties'), file);
  const words =
    file === undefined
      ? [join(pod.bin, 'run')]
      : [join(pod.bin, 'kafka-server-start.sh'), 'server.properties'];
  const bitnami = join(pod.root, 'bitnami');
  await mkdir(join(bitnami, 'kafka', 'config'), { recursive: true });
  await mkdir(join(bitnami, 'kafka', 'bin'), { recursive: true });
  await writeFile(join(bitnami, 'kafka', 'bin', 'kafka-storage.sh'), '#!/bin/bash\n', { mode: 0o755 });
  const child = startIn(pod, script, {
    arguments: words,
    environment: { WARDEN_SETTINGS: settings, WARDEN_BITNAMI: bitnami, ...environment },
  });
  return endOf(pod, child, listenTo(child).text);
}

async function refused(options: Options, name: RegExp): Promise<void> {
  const run = await launch(options);
  assert.equal(run.code, 78, run.output);
  assert.match(run.output, name);
  assert.match(run.output, /is not hardened half; remove its security settings, or label the StatefulSet/);
  assert.equal(run.program, undefined, 'nothing is started');
}

describe('security that comes by envFrom stops the start, by the name that has it', () => {
  const variables: Record<string, string> = {
    KAFKA_SSL_KEYSTORE_LOCATION: '/certs/keystore.jks',
    KAFKA_SSL_KEYSTORE_FILENAME: 'keystore.jks',
    KAFKA_SASL_ENABLED_MECHANISMS: 'PLAIN',
    KAFKA_LISTENER_NAME_SASL__PLAINTEXT_SCRAM___SHA___512_SASL_JAAS_CONFIG: 'ScramLoginModule required;',
    KAFKA_AUTHORIZER_CLASS_NAME: 'kafka.security.authorizer.AclAuthorizer',
  };
  for (const dialect of ['apache', 'confluent'])
    test(`in the images of ${dialect}`, async () => {
      for (const [name, value] of Object.entries(variables))
        await refused(
          { environment: { WARDEN_DIALECT: dialect, [name]: value } },
          new RegExp(`the configuration sets ${name}:`),
        );
    });

  test('in Bitnami’s images, whose passwords have defaults', async () => {
    const environment = { WARDEN_DIALECT: 'bitnami' };
    await refused(
      { environment: { ...environment, KAFKA_CFG_SSL_KEYSTORE_LOCATION: '/k' } },
      /ssl\.keystore\.location/,
    );
    await refused(
      { environment: { ...environment, KAFKA_CLIENT_PASSWORDS: 'secret' } },
      /KAFKA_CLIENT_PASSWORDS/,
    );
    const run = await launch({ environment: { ...environment, KAFKA_CLIENT_PASSWORDS: 'bitnami' } });
    assert.equal(run.code, 0, run.output);
  });

  test('as a JAAS file that an option of the JVM names', async () => {
    const KAFKA_OPTS = '-Djava.security.auth.login.config=/etc/kafka/jaas.conf';
    await refused({ environment: { KAFKA_OPTS } }, /a JAAS file in KAFKA_OPTS/);
    await refused({ environment: { KAFKA_OPTS }, file: 'log.dirs=/tmp/data\n' }, /a JAAS file in KAFKA_OPTS/);
  });

  test('as in a file', async () => {
    await refused({ file: 'ssl.keystore.location=/certs/keystore.jks\n' }, /sets ssl\.keystore\.location:/);
  });

  test('but not where it switches nothing on, or where nobody reads it', async () => {
    const off = {
      KAFKA_SSL_CLIENT_AUTH: 'none',
      KAFKA_SASL_JAAS_CONFIG: '',
      KAFKA_SECURITY_PROTOCOLS: 'PLAINTEXT',
    };
    const run = await launch({ environment: { ...off, KAFKA_OPTS: '-Dany=thing' } });
    assert.equal(run.code, 0, run.output);
    const file = await launch({
      environment: { KAFKA_SSL_KEYSTORE_LOCATION: '/k' },
      file: 'log.dirs=/tmp/data\n',
    });
    assert.equal(file.code, 0, file.output);
  });
});

describe('names of other nodes', () => {
  const ttl = '-Dsun.net.inetaddr.ttl=5';
  const options = async (environment: Record<string, string>, file?: string) =>
    (await launch({ environment, ...(file === undefined ? {} : { file }) })).environment['KAFKA_OPTS'];

  test('are looked up again after five seconds, beside what the manifest gives the JVM', async () => {
    assert.equal(await options({}), ttl);
    assert.equal(await options({}, 'log.dirs=/tmp/data\n'), ttl);
    assert.equal(await options({ KAFKA_OPTS: '-Dany=thing -Xss1m' }), `-Dany=thing -Xss1m ${ttl}`);
  });

  test('are kept for as long as the manifest says', async () => {
    for (const own of ['-Dsun.net.inetaddr.ttl=60', '-Dnetworkaddress.cache.ttl=10'])
      assert.equal(await options({ KAFKA_OPTS: own }), own);
  });
});

describe('listeners that only the start sees', () => {
  const listeners = 'PLAINTEXT://:9092,OUTSIDE://:9094,BETWEEN://:29092,QUORUM://:9093';
  const told = /listener (\S+) on port (\d+) is closed/g;

  for (const how of ['variables', 'a file'])
    test(`are closed and named, where they come by ${how}: clients’ own, not the nodes’`, async () => {
      const given = {
        listeners,
        'inter.broker.listener.name': 'BETWEEN',
        'controller.listener.names': 'QUORUM',
      };
      const run = await launch(
        how === 'a file'
          ? {
              file: Object.entries(given)
                .map(([k, v]) => `${k}=${v}\n`)
                .join(''),
            }
          : {
              environment: Object.fromEntries(
                Object.entries(given).map(([k, v]) => [`KAFKA_${k.replaceAll('.', '_').toUpperCase()}`, v]),
              ),
            },
      );
      assert.equal(run.code, 0, run.output);
      assert.deepEqual(
        [...run.output.matchAll(told)].map(([, name, port]) => [name, port]),
        [['OUTSIDE', '9094']],
      );
      assert.match(run.output, /as variables of this container\), it is kept, with TLS and SASL/);
    });

  test('are no news where all that clients use is served', async () => {
    const run = await launch({ environment: { KAFKA_LISTENERS: 'PLAINTEXT://:9092,CONTROLLER://:9093' } });
    assert.equal(run.code, 0, run.output);
    assert.doesNotMatch(run.output, /is closed/);
  });
});
