import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { variableOf } from '../configuration.ts';
import { harden, launchers, type StatefulSet } from '../index.ts';

const password = 'not-to-be-printed';

/** A pod's file system: the mounted Secret, the volume, the mounted file, and an entrypoint that writes its environment down. */
interface Place {
  root: string;
  keys: string;
  data: string;
  mounted: string;
  entrypoint: string;
  dump: string;
}

interface Run {
  code: number | null;
  signal: NodeJS.Signals | null;
  output: string;
  /** The environment that the entrypoint saw; empty where it was not reached. */
  environment: Record<string, string>;
  arguments: string[];
  /** A Kafka property as the image would render it. */
  property: (name: string) => string | undefined;
}

let shared: string;
before(async () => (shared = await mkdtemp(join(tmpdir(), 'launcher-'))));
after(() => rm(shared, { recursive: true, force: true }));

const script = join(import.meta.dirname, 'launch.sh');

async function place(): Promise<Place> {
  const root = await mkdtemp(join(shared, 'pod-'));
  const made = {
    root,
    keys: join(root, 'keys'),
    data: join(root, 'data'),
    mounted: join(root, 'server.properties'),
    entrypoint: join(root, 'run'),
    dump: join(root, 'dump'),
  };
  await mkdir(made.keys);
  await mkdir(made.data);
  await writeFile(
    made.entrypoint,
    `#!/bin/bash\n{ printf '%s\\0' "$#" "$@"; env -0; } >"$0.tmp" && mv "$0.tmp" '${made.dump}'\n`,
    { mode: 0o755 },
  );
  return made;
}

async function issueStores({ keys }: Place, pod = 'kafka-0'): Promise<void> {
  for (const name of [`${pod}.p12`, `${pod}.controller.p12`, 'nodes.p12'])
    await writeFile(join(keys, name), 'store');
  await writeFile(join(keys, 'password'), password);
}

const manifest: StatefulSet = {
  metadata: { name: 'kafka' },
  spec: {
    serviceName: 'brokers',
    replicas: 3,
    selector: { matchLabels: { app: 'kafka' } },
    template: {
      metadata: { labels: { app: 'kafka' } },
      spec: {
        containers: [
          {
            name: 'kafka',
            image: 'apache/kafka:4.1.0',
            volumeMounts: [{ name: 'data', mountPath: '/var/lib/kafka/data' }],
          },
        ],
      },
    },
    volumeClaimTemplates: [{ metadata: { name: 'data' }, spec: {} }],
  },
};

/** The environment that hardening gives a pod, its references resolved as the kubelet does. */
function hardenedEnvironment(pod: string, { keys, data }: Place): Record<string, string> {
  const set = harden(manifest, { namespace: 'demo' }).workload;
  const values: Record<string, string> = { WARDEN_POD: pod };
  for (const { name, value } of set.spec?.template.spec?.containers[0]?.env ?? [])
    if (value !== undefined) values[name] = value.replaceAll('$(WARDEN_POD)', pod);
  values['WARDEN_SETTINGS'] = values['WARDEN_SETTINGS']!.replaceAll('/var/lib/kafka/data', data);
  return { ...values, WARDEN_KEYS: keys };
}

interface Options {
  pod?: string;
  environment?: Record<string, string>;
  arguments?: string[];
  file?: string;
  path?: string;
}

function start(at: Place, options: Options): ChildProcess {
  const { pod = 'kafka-0', environment = {}, arguments: given = [], path = '/usr/bin:/bin' } = options;
  return spawn('/bin/bash', [script, at.entrypoint, ...given], {
    env: {
      PATH: path,
      ...hardenedEnvironment(pod, at),
      WARDEN_MOUNTED_PROPERTIES: at.mounted,
      WARDEN_POLL_SECONDS: '0.05',
      ...environment,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

function collect(child: ChildProcess): { text: () => string; says: (part: string) => Promise<void> } {
  let text = '';
  const waiting: { part: string; done: () => void }[] = [];
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
      for (const { part, done } of waiting) if (text.includes(part)) done();
    });
  return {
    text: () => text,
    says: (part) =>
      text.includes(part) ? Promise.resolve() : new Promise((done) => waiting.push({ part, done })),
  };
}

async function finish(at: Place, child: ChildProcess, output: () => string): Promise<Run> {
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
  const dump = await readFile(at.dump, 'utf8').catch(() => '');
  const [count = '0', ...entries] = dump.split('\0');
  const given = entries.splice(0, Number(count));
  const environment = Object.fromEntries(
    entries
      .filter((e) => e.includes('='))
      .map((e) => [e.slice(0, e.indexOf('=')), e.slice(e.indexOf('=') + 1)]),
  );
  return {
    code,
    signal,
    output: output(),
    environment,
    arguments: given,
    property: (name) => environment[variableOf(name)],
  };
}

/** Starts a pod whose stores are there and waits for its end. */
async function launch(options: Options = {}): Promise<Run> {
  const at = await place();
  await issueStores(at, options.pod);
  if (options.file !== undefined) await writeFile(at.mounted, options.file);
  const child = start(at, options);
  const { text } = collect(child);
  return finish(at, child, text);
}

describe('settings', () => {
  test('"=" replaces what the manifest says, and names the setting but not the value', async () => {
    const run = await launch({ environment: { KAFKA_AUTHORIZER_CLASS_NAME: 'com.example.Open' } });
    assert.equal(run.code, 0, run.output);
    assert.match(run.property('authorizer.class.name') ?? '', /StandardAuthorizer$/);
    assert.match(run.output, /setting authorizer.class.name instead/);
    assert.doesNotMatch(run.output, /com\.example/);
  });

  test('"?=" leaves what the manifest says', async () => {
    const settings = 'log.dirs?=/a\nbroker.rack?=r';
    const run = await launch({ environment: { WARDEN_SETTINGS: settings, KAFKA_LOG_DIRS: '/own' } });
    assert.equal(run.property('log.dirs'), '/own');
  });

  test('"?=" keeps what the mounted file says, where an empty variable would blank it out', async () => {
    const run = await launch({
      environment: { WARDEN_SETTINGS: 'log.dirs?=/a', KAFKA_LOG_DIRS: '' },
      file: 'log.dirs=/from/file\n',
    });
    assert.equal(run.property('log.dirs'), '/from/file');
  });

  test('">=" raises a lower number and keeps a higher one', async () => {
    const run = await launch({
      environment: { KAFKA_MIN_INSYNC_REPLICAS: '1', KAFKA_DEFAULT_REPLICATION_FACTOR: '5' },
      file: 'offsets.topic.replication.factor=1\n',
    });
    assert.equal(run.property('min.insync.replicas'), '2');
    assert.equal(run.property('default.replication.factor'), '5');
    assert.equal(run.property('offsets.topic.replication.factor'), '3');
  });

  test('"+=" appends once, super users by semicolon', async () => {
    const run = await launch({
      environment: { KAFKA_SUPER_USERS: 'User:admin;User:CN=kafka-node,O=kafka-warden' },
      file: 'config.providers=vault\n',
    });
    assert.equal(
      run.property('super.users'),
      'User:admin;User:CN=kafka-node,O=kafka-warden;User:CN=kafka-warden,O=kafka-warden',
    );
    assert.equal(run.property('config.providers'), 'vault,warden');
  });

  test('"!" takes a variable away', async () => {
    const run = await launch({ environment: { KAFKA_SECURITY_INTER_BROKER_PROTOCOL: 'PLAINTEXT' } });
    assert.equal(run.property('security.inter.broker.protocol'), undefined);
  });

  test('"!" refuses a mounted file that sets it, and says which line has to go', async () => {
    const run = await launch({ file: 'security.inter.broker.protocol=PLAINTEXT\n' });
    assert.equal(run.code, 78);
    assert.match(run.output, /server\.properties sets security\.inter\.broker\.protocol.*remove that line/);
    assert.deepEqual(run.environment, {});
  });

  test('names with dashes and underscores become the variables that the images read', async () => {
    const run = await launch();
    assert.match(
      run.environment['KAFKA_LISTENER_NAME_CLIENT_SCRAM___SHA___512_SASL_JAAS_CONFIG'] ?? '',
      /ScramLoginModule required;$/,
    );
    const odd = await launch({
      environment: { WARDEN_SETTINGS: 'listener.name.sasl_ssl.x-y=1\nlog.dirs=/a' },
    });
    assert.equal(odd.environment['KAFKA_LISTENER_NAME_SASL__SSL_X___Y'], '1');
  });

  test('values with characters that mean something to a shell pass unchanged', async () => {
    const value = '$(touch pwned) `id` "quoted" \'single\' \\back;slash & * $HOME ${warden:/x:y}';
    const run = await launch({
      environment: { WARDEN_SETTINGS: `some.value=${value}\nlog.dirs=/a`, KAFKA_OTHER: value },
      arguments: [`KAFKA_THIRD=${value}`],
    });
    assert.equal(run.property('some.value'), value);
    assert.equal(run.environment['KAFKA_OTHER'], value);
    assert.equal(run.environment['KAFKA_THIRD'], value);
  });

  test('a line that is no setting stops the start', async () => {
    const run = await launch({ environment: { WARDEN_SETTINGS: 'what is this' } });
    assert.equal(run.code, 78);
  });
});

describe('where settings come from', () => {
  test('arguments NAME=VALUE cannot undo the settings, others reach the entrypoint', async () => {
    const run = await launch({
      arguments: ['KAFKA_LISTENERS=PLAINTEXT://:9092', 'KAFKA_LOG_RETENTION_HOURS=3', '--flag', 'two words'],
    });
    assert.match(run.property('listeners') ?? '', /^CLIENT:/);
    assert.equal(run.property('log.retention.hours'), '3');
    assert.deepEqual(run.arguments, ['--flag', 'two words']);
  });

  test('the environment wins over the mounted file, its last line over the earlier', async () => {
    const file = 'broker.rack=first\nbroker.rack=second\nmin.insync.replicas=3\n';
    const run = await launch({ environment: { KAFKA_MIN_INSYNC_REPLICAS: '4' }, file });
    assert.equal(run.property('min.insync.replicas'), '4');
    assert.equal(run.property('broker.rack'), undefined, 'left to the file');
    const conflict = await launch({ environment: { WARDEN_SETTINGS: 'broker.rack+=x\nlog.dirs=/a' }, file });
    assert.equal(conflict.property('broker.rack'), 'second,x');
  });

  test('the mounted file may use every form of a Java properties file', async () => {
    const file = [
      '# super.users=User:comment',
      '! super.users=User:comment',
      '  super.users : User:a;\\\r',
      '   User:b\r',
      'config.providers\tvault',
      'min.insync.replicas   =   7',
      'last.line=without newline',
    ].join('\n');
    const run = await launch({ file });
    assert.match(run.property('super.users') ?? '', /^User:a;User:b;User:CN=kafka-node/);
    assert.equal(run.property('config.providers'), 'vault,warden');
    assert.equal(run.property('min.insync.replicas'), '7');
  });
});

describe('identity', () => {
  test('a pod takes its node id from its ordinal', async () => {
    const run = await launch({ pod: 'kafka-2' });
    assert.equal(run.property('node.id'), '2');
    assert.equal(
      run.property('controller.quorum.voters'),
      [0, 1, 2].map((i) => `${i}@kafka-${i}.brokers.demo.svc:9093`).join(','),
    );
    assert.match(run.property('listeners') ?? '', /,CONTROLLER:\/\/:9093$/);
    assert.match(run.property('advertised.listeners') ?? '', /^CLIENT:\/\/kafka-2\.brokers\.demo\.svc:9092,/);
  });

  test('an offset and a first ordinal other than 0 move ids and voters', async () => {
    const run = await launch({
      pod: 'kafka-6',
      environment: { WARDEN_ID_OFFSET: '100', WARDEN_FIRST_ORDINAL: '5' },
    });
    assert.equal(run.property('node.id'), '106');
    assert.match(run.property('controller.quorum.voters') ?? '', /^105@kafka-5\..*,107@kafka-7\.[^,]*$/);
  });

  test('an id that a shell computed is kept, with or without leading zeros', async () => {
    const run = await launch({ environment: { WARDEN_NODE_ID: 'keep', KAFKA_NODE_ID: '08' } });
    assert.equal(run.property('node.id'), '8');
    assert.match(run.property('controller.quorum.voters') ?? '', /^8@kafka-0\..*,10@kafka-2\./);
  });

  test('an id that cannot be right for every pod is not used', async () => {
    const run = await launch({
      pod: 'kafka-1',
      environment: { WARDEN_NODE_ID: 'ordinal', KAFKA_NODE_ID: '0' },
    });
    assert.equal(run.property('node.id'), '1');
  });

  test('broker.id follows node.id wherever it stands', async () => {
    const run = await launch({
      pod: 'kafka-1',
      environment: { WARDEN_NODE_ID: 'ordinal' },
      file: 'broker.id=0\n',
    });
    assert.equal(run.property('node.id'), '1');
    assert.equal(run.property('broker.id'), '1');
  });

  test('the voters of a mounted file decide ids and the port, under the names that the certificates have', async () => {
    const voters = [1, 2, 3].map((id) => `${id}@kafka-${id - 1}.brokers:19093`).join(', ');
    const file = `controller.quorum.voters=${voters}\nnode.id=1\n`;
    const run = await launch({
      pod: 'kafka-2',
      file,
      environment: { WARDEN_SETTINGS: settingsWithUnseenVoters(), WARDEN_NODE_ID: 'ordinal' },
    });
    assert.equal(run.property('node.id'), '3', run.output);
    assert.match(
      run.property('controller.quorum.voters') ?? '',
      /^1@kafka-0\.brokers\.demo\.svc:19093,2@kafka-1/,
    );
    assert.match(run.property('listeners') ?? '', /,CONTROLLER:\/\/:19093$/);
  });

  test('a quorum on localhost is replaced', async () => {
    const run = await launch({
      file: 'controller.quorum.voters=1@localhost:9093\n',
      environment: { WARDEN_SETTINGS: settingsWithUnseenVoters() },
    });
    assert.match(run.property('controller.quorum.voters') ?? '', /^0@kafka-0\.brokers\.demo\.svc:9093,/);
  });

  test("another StatefulSet's voters are refused by name", async () => {
    const run = await launch({
      file: 'controller.quorum.voters=100@controllers-0.controllers:9093\n',
      environment: { WARDEN_SETTINGS: settingsWithUnseenVoters() },
    });
    assert.equal(run.code, 78);
    assert.match(run.output, /names controllers-0, which is no pod of this StatefulSet/);
  });

  test('a pod without an ordinal is refused', async () => {
    const run = await launch({ pod: 'kafka', environment: { WARDEN_POD: 'kafka' } });
    assert.equal(run.code, 78);
    assert.match(run.output, /has no ordinal/);
  });
});

/** Hardened settings of a manifest whose voters cannot be seen. */
function settingsWithUnseenVoters(): string {
  const set = harden(manifest, { namespace: 'demo' }).workload;
  const env = set.spec?.template.spec?.containers[0]?.env ?? [];
  const text = env.find((e) => e.name === 'WARDEN_SETTINGS')?.value ?? '';
  return text
    .replace('controller.quorum.voters=@voters', 'controller.quorum.voters?=@voters')
    .replaceAll('$(WARDEN_POD)', 'kafka-0')
    .replace(/log\.dirs.*/, 'log.dirs=/nowhere');
}

describe('role', () => {
  test('a pod beyond the voters is a broker without the controller listener', async () => {
    const run = await launch({ pod: 'kafka-3' });
    assert.equal(run.property('process.roles'), 'broker');
    assert.equal(run.property('listeners'), 'CLIENT://:9092,INTERNAL://:9091');
    assert.equal(run.property('node.id'), '3');
    assert.equal(run.property('controller.listener.names'), 'CONTROLLER');
    assert.match(run.output, /starting as a broker/);
  });

  test('a mounted file with another role is refused', async () => {
    const run = await launch({ file: 'process.roles=controller\n' });
    assert.equal(run.code, 78);
    assert.match(run.output, /process\.roles is set to something else/);
  });

  test('both roles in a mounted file, in any order, are fine', async () => {
    const run = await launch({ file: 'process.roles = controller, broker\r\n' });
    assert.equal(run.property('process.roles'), 'broker,controller', run.output);
  });

  test('a script that makes the pods beyond the voters brokers is fine', async () => {
    const run = await launch({ pod: 'kafka-4', environment: { KAFKA_PROCESS_ROLES: 'broker' } });
    assert.equal(run.property('process.roles'), 'broker', run.output);
    const voter = await launch({ pod: 'kafka-0', environment: { KAFKA_PROCESS_ROLES: 'broker' } });
    assert.equal(voter.code, 78);
  });

  test('ZooKeeper mode in a mounted file is refused', async () => {
    const run = await launch({ file: 'zookeeper.connect=zk:2181\n' });
    assert.equal(run.code, 78);
    assert.match(run.output, /zookeeper\.connect is set/);
  });
});

describe('rack', () => {
  const cases: [string, Record<string, string>, string | undefined][] = [
    ['the zone that the API server copied', { WARDEN_ZONE: 'zone-a', WARDEN_RACK: '' }, 'zone-a'],
    ['the annotation before Kubernetes 1.35', { WARDEN_ZONE: '', WARDEN_RACK: 'rack-7' }, 'rack-7'],
    ["the manifest's own rack", { WARDEN_ZONE: 'zone-a', KAFKA_BROKER_RACK: 'mine' }, 'mine'],
    ['none rather than an empty one', { WARDEN_ZONE: '', WARDEN_RACK: '', KAFKA_BROKER_RACK: '' }, undefined],
  ];
  for (const [name, environment, rack] of cases)
    test(`a broker has ${name}`, async () => {
      const run = await launch({ environment });
      assert.equal(run.property('broker.rack'), rack);
    });
});

describe('the volume', () => {
  test('an id in meta.properties wins over CLUSTER_ID', async () => {
    const at = await place();
    await issueStores(at);
    await mkdir(join(at.data, 'kafka'));
    await writeFile(
      join(at.data, 'kafka/meta.properties'),
      'version=1\ncluster.id=MkU3OEVBNTcwNTJENDM2Qg\\=\\=\r\n',
    );
    const child = start(at, {});
    const { text } = collect(child);
    const run = await finish(at, child, text);
    assert.equal(run.environment['CLUSTER_ID'], 'MkU3OEVBNTcwNTJENDM2Qg==');
    assert.match(run.output, /the volume belongs to cluster/);
  });

  test('a directory with blanks in its name and several directories are searched', async () => {
    const at = await place();
    await issueStores(at);
    const second = join(at.root, 'second disk');
    await mkdir(second);
    await writeFile(join(second, 'meta.properties'), 'cluster.id=abc\n');
    const child = start(at, { environment: { WARDEN_SETTINGS: `log.dirs=/nowhere, ${second}` } });
    const { text } = collect(child);
    assert.equal((await finish(at, child, text)).environment['CLUSTER_ID'], 'abc');
  });

  test('a fresh volume gets the cluster id of the layout', async () => {
    const run = await launch({ environment: { CLUSTER_ID: '' } });
    assert.match(run.environment['CLUSTER_ID'] ?? '', /^[A-Za-z0-9_-]{22}$/);
  });

  test('an empty volume of an id that had data on another waits for a person', async () => {
    const at = await place();
    await issueStores(at);
    await writeFile(join(at.keys, 'kafka-0.formatted'), 'old-claim-uid');
    const child = start(at, {});
    const { text, says } = collect(child);
    await says('claim old-claim-uid');
    assert.match(text(), /annotate the StatefulSet with kafka-warden\.io\/confirm-empty-disk=kafka-0/);
    assert.equal(child.exitCode, null);
    await writeFile(join(at.keys, 'kafka-0.format-confirmed'), '');
    assert.equal((await finish(at, child, text)).code, 0);
  });

  test('ephemeral storage is exempt from that', async () => {
    const at = await place();
    await issueStores(at);
    await writeFile(join(at.keys, 'kafka-0.formatted'), 'old-claim-uid');
    const child = start(at, { environment: { WARDEN_STORAGE: 'ephemeral' } });
    const { text } = collect(child);
    assert.equal((await finish(at, child, text)).code, 0);
  });
});

describe('waiting', () => {
  test('a pod waits for its own keystore, says so, and starts once it is there', async () => {
    const at = await place();
    await issueStores(at, 'kafka-1');
    const child = start(at, {});
    const { text, says } = collect(child);
    await says('waiting: no keystore for kafka-0');
    await issueStores(at, 'kafka-0');
    const run = await finish(at, child, text);
    assert.equal(run.code, 0);
    assert.equal(text().match(/waiting/g)?.length, 1, 'said once in ten seconds');
  });

  test('SIGTERM ends the waiting at once', async () => {
    const at = await place();
    const child = start(at, { environment: { WARDEN_POLL_SECONDS: '30' } });
    const { text, says } = collect(child);
    await says('waiting');
    const since = performance.now();
    child.kill('SIGTERM');
    const [code] = (await once(child, 'exit')) as [number];
    assert.equal(code, 143, text());
    assert.ok(performance.now() - since < 5_000);
  });
});

describe('secrets', () => {
  test('no secret is printed or put into the environment', async () => {
    const run = await launch({
      environment: { KAFKA_SSL_KEYSTORE_PASSWORD: 'own-secret', KAFKA_SUPER_USERS: 'User:boss' },
      file: 'ssl.key.password=file-secret\n',
    });
    assert.equal(run.code, 0, run.output);
    assert.doesNotMatch(run.output, /own-secret|file-secret|boss/);
    assert.ok(!Object.values(run.environment).some((v) => v.includes(password)));
    assert.equal(
      run.property('listener.name.client.ssl.keystore.password'),
      '${warden:/etc/kafka-warden/keys:password}',
    );
    assert.equal(run.environment['WARDEN_SETTINGS'], undefined);
  });
});

describe('the smallest image', () => {
  test('bash with a handful of coreutils is enough', async () => {
    const at = await place();
    await issueStores(at);
    const bin = join(at.root, 'bin');
    await mkdir(bin);
    const busybox = await readFile('/usr/bin/busybox').catch(() => undefined);
    for (const tool of ['sed', 'tail', 'tr', 'cat', 'sleep', 'env', 'mv', 'bash'])
      await linkTool(
        join(bin, tool),
        busybox !== undefined && tool !== 'bash' ? '/usr/bin/busybox' : undefined,
      );
    await mkdir(join(at.data, 'kafka'));
    await writeFile(join(at.data, 'kafka/meta.properties'), 'cluster.id=abc\n');
    const child = start(at, { path: bin, environment: { WARDEN_ZONE: 'z' } });
    const { text } = collect(child);
    const run = await finish(at, child, text);
    assert.equal(run.code, 0, run.output);
    assert.doesNotMatch(run.output, /not found/);
    assert.equal(run.environment['CLUSTER_ID'], 'abc');
  });

  test('the published launcher is this script', async () => {
    const text = await readFile(script, 'utf8');
    assert.ok(launchers().some((l) => l.data.launch === text));
    assert.equal(dirname(script), import.meta.dirname);
  });
});

/** A tool by a script of its name, so that nothing else of its directory is on the path. */
async function linkTool(at: string, busybox: string | undefined): Promise<void> {
  const name = at.slice(at.lastIndexOf('/') + 1);
  const call = busybox === undefined ? `/usr/bin/${name}` : `${busybox} ${name}`;
  await writeFile(at, `#!/bin/bash\nexec ${call} "$@"\n`, { mode: 0o755 });
}
