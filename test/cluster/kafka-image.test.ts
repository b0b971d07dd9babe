import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { tryRun } from './command.ts';

const configure = join(import.meta.dirname, 'kafka-image/configure');
const run = join(import.meta.dirname, 'kafka-image/run');

/** Makes the folders that the scripts look at, in a mount namespace that ends with them. */
const stage = `
  mount -t tmpfs stage /mnt && mkdir /mnt/{upper,work} && mount -t tmpfs opt /opt
  mount -t overlay overlay -o lowerdir=/etc,upperdir=/mnt/upper,workdir=/mnt/work /etc
  mkdir -p /opt/kafka/config /etc/kafka/secrets /etc/kafka/docker
  echo store > /etc/kafka/secrets/keys.p12; echo secret > /etc/kafka/secrets/credentials
`;

interface Configured {
  code: number;
  stderr: string;
  env: Record<string, string>;
}

async function staged(script: string, env: Record<string, string>): Promise<Configured> {
  const variables = Object.entries(env).map(([name, value]) => `${name}=${value}`);
  const args = ['--mount', '--propagation', 'private', 'bash', '-euo', 'pipefail', '-c'];
  const inside = `${stage}\nexec env -i PATH="$PATH" "$@" bash -euo pipefail -c '${script}'`;
  const { code, stdout, stderr } = await tryRun('unshare', [...args, inside, 'staged', ...variables]);
  const lines = stdout.split('\n').map((line): [string, string] => {
    const [name = '', ...value] = line.split('=');
    return [name, value.join('=')];
  });
  return { code, stderr, env: Object.fromEntries(lines) };
}

const configured = (env: Record<string, string>) => staged(`. ${configure}; env`, env);

const stores = {
  KAFKA_SSL_KEYSTORE_FILENAME: 'keys.p12',
  KAFKA_SSL_KEY_CREDENTIALS: 'credentials',
  KAFKA_SSL_KEYSTORE_CREDENTIALS: 'credentials',
};

const unavailable =
  process.platform === 'linux' && process.getuid?.() === 0 ? false : 'mount namespaces need root on Linux';

describe("the Kafka image's configuration", { skip: unavailable }, () => {
  test('listeners default to the advertised ones on all addresses', async () => {
    const { env } = await configured({ KAFKA_ADVERTISED_LISTENERS: 'PLAIN://a:9092,OTHER://b.c:9094' });
    assert.equal(env['KAFKA_LISTENERS'], 'PLAIN://0.0.0.0:9092,OTHER://0.0.0.0:9094');
  });

  test('a controller with advertised listeners does not start', async () => {
    const env = { KAFKA_PROCESS_ROLES: 'controller', KAFKA_ADVERTISED_LISTENERS: 'CONTROLLER://a:9093' };
    const { code, stderr } = await configured(env);
    assert.equal(code, 1);
    assert.match(stderr, /not supported on a KRaft controller/);
  });

  test('an advertised listener whose name ends in SSL demands store file names', async () => {
    const { code, stderr } = await configured({ KAFKA_ADVERTISED_LISTENERS: 'MYSSL://a:9093' });
    assert.equal(code, 1);
    assert.match(stderr, /KAFKA_SSL_KEYSTORE_FILENAME/);
  });

  test('an empty value is refused like a missing one', async () => {
    const env = { ...stores, KAFKA_SSL_KEY_CREDENTIALS: '', KAFKA_ADVERTISED_LISTENERS: 'SSL://a:9093' };
    const { code, stderr } = await configured(env);
    assert.equal(code, 1);
    assert.match(stderr, /KAFKA_SSL_KEY_CREDENTIALS/);
  });

  test('file names replace a location and passwords that were given directly', async () => {
    const { env } = await configured({
      ...stores,
      KAFKA_ADVERTISED_LISTENERS: 'SSL://a:9093',
      KAFKA_SSL_KEYSTORE_LOCATION: '/elsewhere',
      KAFKA_SSL_KEYSTORE_PASSWORD: 'other',
    });
    assert.equal(env['KAFKA_SSL_KEYSTORE_LOCATION'], '/etc/kafka/secrets/keys.p12');
    assert.equal(env['KAFKA_SSL_KEYSTORE_PASSWORD'], 'secret');
    assert.equal(env['KAFKA_SSL_KEY_PASSWORD'], 'secret');
  });

  test('required client certificates demand a truststore file name', async () => {
    const env = { ...stores, KAFKA_ADVERTISED_LISTENERS: 'SSL://a:9093', KAFKA_SSL_CLIENT_AUTH: 'required' };
    assert.match((await configured(env)).stderr, /KAFKA_SSL_TRUSTSTORE_FILENAME/);
  });

  test('a listener named SASL_… demands KAFKA_OPTS, whatever it says', async () => {
    const sasl = { KAFKA_ADVERTISED_LISTENERS: 'SASL_PLAINTEXT://a:9092' };
    assert.match((await configured(sasl)).stderr, /KAFKA_OPTS/);
    assert.equal((await configured({ ...sasl, KAFKA_OPTS: '-Dharmless=1' })).code, 0);
  });

  test('names that do not end in SSL, and controllers, start no check', async () => {
    const listeners = {
      KAFKA_ADVERTISED_LISTENERS: 'CLIENT://a:9092',
      KAFKA_LISTENERS: 'CLIENT://:9092,SSL://:9093',
    };
    assert.equal((await configured(listeners)).code, 0);
    assert.equal((await configured({ KAFKA_PROCESS_ROLES: 'controller' })).code, 0);
  });

  test('a configuration folder that cannot be written ends the start', async () => {
    const readOnly = `mount -t tmpfs -o ro none /opt/kafka/config; . ${configure}`;
    assert.match((await staged(readOnly, {})).stderr, /\/opt\/kafka\/config\/ is not writable/);
  });

  test('arguments are environment, and beat it', async () => {
    const links = ['defaults', 'configure'].map((it) => `touch /etc/kafka/docker/${it}`).join('; ');
    const script = `${links}; echo env > /etc/kafka/docker/launch; bash ${run} KAFKA_NODE_ID=7 "KAFKA_X=a b"`;
    const { env } = await staged(script, { KAFKA_NODE_ID: '1' });
    assert.equal(env['KAFKA_NODE_ID'], '7');
    assert.equal(env['KAFKA_X'], 'a b');
  });
});
