import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { variableOf } from '../profiles/profile.ts';
import { harden, type StatefulSet } from '../index.ts';
import {
  endOf,
  environmentOf,
  listenTo,
  podIn,
  startIn,
  type Pod,
  type Started,
} from '../test/launched-pod.ts';

/** The launcher that is started: every test holds for each that is read as one. */
let script: string;

let shared: string;
before(async () => (shared = await mkdtemp(join(tmpdir(), 'launcher-3-'))));
after(() => rm(shared, { recursive: true, force: true }));

/** Settings as the rules write them, for every role. */
const settingsFor = ({ name, data }: Pod) => `
@combined,broker,controller node.id=@ordinal
@zookeeper broker.id=@ordinal
controller.listener.names=CONTROLLER
controller.quorum.voters?=@voters
@combined,broker,zookeeper listeners=CLIENT://:9092,INTERNAL://:9091,CONTROLLER://:9093
@controller listeners=CONTROLLER://:9093
@combined,broker,zookeeper advertised.listeners=CLIENT://${name}.brokers.demo.svc:9092,INTERNAL://${name}.brokers.demo.svc:9091
listener.security.protocol.map=CLIENT:SASL_SSL,INTERNAL:SSL,CONTROLLER:SSL
@combined,broker,zookeeper inter.broker.listener.name=INTERNAL
!security.inter.broker.protocol
@combined,broker,controller authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
@zookeeper authorizer.class.name=kafka.security.authorizer.AclAuthorizer
super.users+=User:CN=kafka-node,O=kafka-warden
default.replication.factor>=@rf
min.insync.replicas>=@minisr
log.dirs?=${data}
`;

interface Options {
  pod?: string;
  /** Arguments of the launcher; the first is a program of the pod unless it has a slash or a dash. */
  arguments?: string[];
  environment?: Record<string, string>;
  /** Files below the pod's root: `keys/cluster.properties`, `data/meta.properties` … */
  files?: Record<string, string>;
}

async function prepare({ pod: name, files = {} }: Options): Promise<Pod> {
  const pod = await podIn(shared, name);
  for (const [path, text] of Object.entries(files)) {
    await mkdir(join(pod.root, path, '..'), { recursive: true });
    await writeFile(join(pod.root, path), text);
  }
  return pod;
}

function start(pod: Pod, { arguments: given = ['run'], environment = {} }: Options) {
  const [program = '', ...rest] = given;
  const child = startIn(pod, script, {
    arguments: [/^[-/]/.test(program) || program === '' ? program : join(pod.bin, program), ...rest],
    environment: { WARDEN_SETTINGS: settingsFor(pod), ...environment },
  });
  return { child, ...listenTo(child) };
}

async function launch(options: Options = {}): Promise<Started> {
  const pod = await prepare(options);
  const { child, text } = start(pod, options);
  return endOf(pod, child, text);
}

/** Starts with a file, as kafka-server-start takes it. */
const launchFile = (file: string, options: Options = {}) =>
  launch({
    arguments: ['kafka-server-start.sh', 'server.properties'],
    ...options,
    files: { 'server.properties': file, ...options.files },
  });

const inEnvironment = (run: Started, name: string) => run.environment[variableOf(name)];

async function refused(started: Promise<Started>, message: RegExp): Promise<void> {
  const run = await started;
  assert.equal(run.code, 78, run.output);
  assert.match(run.output, message);
  assert.equal(run.program, undefined, 'nothing is started');
  assert.equal(run.format, undefined, 'nothing is formatted');
}

const facts = (voters: string) => ({
  'keys/cluster.properties': `cluster.id=factsfactsfactsfactsfa\nvoters=${voters}\nreplication.factor=3\nmin.insync.replicas=2\n`,
});
const threeControllers = [0, 1, 2].map((i) => `${100 + i}@controllers-${i}.quorum.demo.svc:19093`).join(',');

for (const name of ['launch.3.sh', 'launch.4.sh'])
  describe(name, () => {
    before(() => {
      script = join(import.meta.dirname, name);
    });

    describe('a combined node', () => {
      test('takes its id from its ordinal, votes, and serves clients', async () => {
        const run = await launch({ pod: 'kafka-2' });
        assert.equal(run.code, 0, run.output);
        assert.equal(inEnvironment(run, 'process.roles'), 'broker,controller');
        assert.equal(inEnvironment(run, 'node.id'), '2');
        assert.equal(
          inEnvironment(run, 'controller.quorum.voters'),
          [0, 1, 2].map((i) => `${i}@kafka-${i}.brokers.demo.svc:9093`).join(','),
        );
        assert.equal(inEnvironment(run, 'listeners'), 'CLIENT://:9092,INTERNAL://:9091,CONTROLLER://:9093');
        assert.equal(run.environment['CLUSTER_ID'], 'layoutlayoutlayoutlayo');
        assert.match(inEnvironment(run, 'authorizer.class.name') ?? '', /StandardAuthorizer$/);
        assert.equal(run.environment['WARDEN_SETTINGS'], undefined);
      });

      test('beyond the voters is a broker without the controllers’ listener', async () => {
        const run = await launch({ pod: 'kafka-3' });
        assert.equal(inEnvironment(run, 'process.roles'), 'broker');
        assert.equal(inEnvironment(run, 'listeners'), 'CLIENT://:9092,INTERNAL://:9091');
        assert.match(run.output, /node 3 is not among the quorum's voters: starting as a broker/);
      });

      test('has voters even where no setting names them', async () => {
        const run = await launch({ environment: { WARDEN_SETTINGS: 'log.dirs=/nowhere' } });
        assert.match(
          inEnvironment(run, 'controller.quorum.voters') ?? '',
          /^0@kafka-0\.brokers\.demo\.svc:9093,/,
        );
        assert.equal(inEnvironment(run, 'process.roles'), 'broker,controller');
      });

      test('of its own StatefulSet takes the voters of the whole cluster from the facts', async () => {
        const voters = '1@one-0.one.demo.svc:9093,2@two-0.two.demo.svc:9095,3@three-0.three.demo.svc:9093';
        const run = await launch({
          pod: 'two-0',
          environment: {
            WARDEN_FACTS: 'need',
            WARDEN_ID_OFFSET: '2',
            WARDEN_SERVICE: 'two.demo.svc',
            WARDEN_VOTERS: '1',
          },
          files: facts(voters),
        });
        assert.equal(run.code, 0, run.output);
        assert.equal(inEnvironment(run, 'controller.quorum.voters'), voters);
        assert.equal(inEnvironment(run, 'node.id'), '2');
        assert.match(inEnvironment(run, 'listeners') ?? '', /CONTROLLER:\/\/:9095$/);
        assert.equal(inEnvironment(run, 'process.roles'), 'broker,controller');
      });

      test('on the controllers’ port is refused before Kafka fails to bind', () =>
        refused(
          launch({ environment: { KAFKA_CONTROLLER_QUORUM_VOTERS: '0@kafka-0:9092' } }),
          /uses port 9092, which the listener CLIENT has/,
        ));

      test('in a quorum that names another StatefulSet is refused', () =>
        refused(
          launch({ environment: { KAFKA_CONTROLLER_QUORUM_VOTERS: threeControllers } }),
          /names controllers-0, which is no pod of this StatefulSet: write ID@kafka-ORDINAL\.brokers:PORT/,
        ));

      test('with voters that are none is refused', () =>
        refused(
          launch({ environment: { KAFKA_CONTROLLER_QUORUM_VOTERS: 'kafka-1:9093' } }),
          /an entry that is not ID@HOST:PORT: kafka-1:9093/,
        ));

      test('may have voters with blanks between them', async () => {
        const run = await launch({
          environment: { KAFKA_CONTROLLER_QUORUM_VOTERS: '7@kafka-0:9093, 8@kafka-1:9093' },
        });
        assert.equal(
          inEnvironment(run, 'controller.quorum.voters'),
          '7@kafka-0.brokers.demo.svc:9093,8@kafka-1.brokers.demo.svc:9093',
        );
        assert.equal(inEnvironment(run, 'node.id'), '7');
      });
    });

    describe('a controller', () => {
      const controller = {
        WARDEN_ROLE: 'controller',
        WARDEN_SERVICE: 'quorum.demo.svc',
        WARDEN_ID_OFFSET: '100',
      };

      test('listens for the quorum alone and advertises nothing', async () => {
        const run = await launch({
          pod: 'controllers-1',
          environment: {
            ...controller,
            KAFKA_ADVERTISED_LISTENERS: 'PLAINTEXT://:9092',
            KAFKA_LISTENERS: 'PLAINTEXT://:9092,CONTROLLER://:9093',
            KAFKA_INTER_BROKER_LISTENER_NAME: 'PLAINTEXT',
          },
        });
        assert.equal(run.code, 0, run.output);
        assert.equal(inEnvironment(run, 'process.roles'), 'controller');
        assert.equal(inEnvironment(run, 'node.id'), '101');
        assert.equal(inEnvironment(run, 'listeners'), 'CONTROLLER://:9093');
        assert.equal(inEnvironment(run, 'advertised.listeners'), undefined);
        assert.equal(inEnvironment(run, 'inter.broker.listener.name'), 'INTERNAL', 'of those in the map');
        assert.match(inEnvironment(run, 'listener.security.protocol.map') ?? '', /INTERNAL:SSL/);
        assert.match(
          inEnvironment(run, 'controller.quorum.voters') ?? '',
          /^100@controllers-0\.quorum\.demo\.svc:9093,101@/,
        );
        assert.doesNotMatch(run.output, /rack/);
      });

      test('blanks out what only brokers may have in a mounted file', async () => {
        const run = await launch({
          pod: 'controllers-0',
          environment: {
            ...controller,
            WARDEN_SETTINGS: 'listener.security.protocol.map=CONTROLLER:SSL\nlog.dirs=/x',
          },
          files: { 'mounted.properties': 'advertised.listeners=P://:1\ninter.broker.listener.name=P\n' },
        });
        assert.equal(inEnvironment(run, 'advertised.listeners'), '');
        assert.equal(inEnvironment(run, 'inter.broker.listener.name'), 'INTERNAL');
        assert.equal(inEnvironment(run, 'listener.security.protocol.map'), 'CONTROLLER:SSL,INTERNAL:SSL');
      });

      test('needs no store for clients', async () => {
        const pod = await prepare({ pod: 'controllers-0' });
        await rm(join(pod.keys, 'controllers-0.p12'));
        const { child, text } = start(pod, { environment: controller });
        assert.equal((await endOf(pod, child, text)).code, 0);
      });

      test('beyond the fixed voters is refused', () =>
        refused(
          launch({ pod: 'controllers-3', environment: controller }),
          /scale the controllers back to 3/,
        ));

      test('has a listener of the name that the image can take', async () => {
        const run = await launch({
          pod: 'controllers-0',
          environment: { ...controller, WARDEN_CONTROLLER_LISTENER: 'QUORUM' },
        });
        assert.equal(inEnvironment(run, 'listeners'), 'QUORUM://:9093');
      });

      test('that is configured as something else is refused', () =>
        refused(
          launch({
            pod: 'controllers-0',
            environment: { ...controller, KAFKA_PROCESS_ROLES: 'broker,controller' },
          }),
          /process\.roles is set to something else than controller, as which/,
        ));
    });

    describe('a broker beside controllers of their own', () => {
      const broker = { WARDEN_ROLE: 'broker', WARDEN_VOTERS: '0' };

      test('waits for the quorum, says for what, and takes its voters as they are', async () => {
        const pod = await prepare({});
        const { child, text, says } = start(pod, {
          environment: { ...broker, WARDEN_FACTS: 'need', WARDEN_CLUSTER: 'main' },
        });
        await says(
          "waiting: the quorum's voters are not known yet: they come from the controllers' StatefulSet of cluster main",
        );
        assert.equal(child.exitCode, null);
        await writeFile(
          join(pod.keys, 'cluster.properties'),
          facts(threeControllers)['keys/cluster.properties'],
        );
        const run = await endOf(pod, child, text);
        assert.equal(run.code, 0, run.output);
        assert.equal(inEnvironment(run, 'process.roles'), 'broker');
        assert.equal(inEnvironment(run, 'controller.quorum.voters'), threeControllers);
        assert.equal(inEnvironment(run, 'controller.listener.names'), 'CONTROLLER');
        assert.equal(inEnvironment(run, 'listeners'), 'CLIENT://:9092,INTERNAL://:9091');
        assert.equal(inEnvironment(run, 'node.id'), '0');
      });

      test('that may use facts waits for them where it knows no voters', async () => {
        const pod = await prepare({});
        const { child, text, says } = start(pod, { environment: { ...broker, WARDEN_FACTS: 'use' } });
        await says('waiting');
        await writeFile(
          join(pod.keys, 'cluster.properties'),
          facts(threeControllers)['keys/cluster.properties'],
        );
        assert.equal((await endOf(pod, child, text)).code, 0);
      });

      test('keeps waiting while the facts name no voters', async () => {
        const pod = await prepare({ files: { 'keys/cluster.properties': 'cluster.id=abc\n' } });
        const { child, says } = start(pod, { environment: { ...broker, WARDEN_FACTS: 'need' } });
        await says('waiting');
        child.kill('SIGTERM');
        assert.equal((await endOf(pod, child, () => '')).code, 143);
      });

      test("keeps the manifest's voters where there are no facts", async () => {
        const voters = '100@controllers-0.quorum:19093,101@controllers-1.quorum:19093';
        for (const settings of ['controller.quorum.voters?=@voters', 'controller.quorum.voters=@voters']) {
          const run = await launch({
            environment: { ...broker, WARDEN_SETTINGS: settings, KAFKA_CONTROLLER_QUORUM_VOTERS: voters },
          });
          assert.equal(inEnvironment(run, 'controller.quorum.voters'), voters, run.output);
        }
      });

      test('without any voters is refused', () =>
        refused(
          launch({ environment: broker }),
          /no controllers are known: name them.*the same kafka-warden\.io\/cluster/,
        ));

      test('with an example’s quorum on localhost has none', () =>
        refused(
          launch({ environment: { ...broker, KAFKA_CONTROLLER_QUORUM_VOTERS: '1@localhost:9093' } }),
          /no controllers are known/,
        ));

      test('that the quorum names is refused', () =>
        refused(
          launch({ environment: { ...broker, KAFKA_CONTROLLER_QUORUM_VOTERS: '0@kafka-0.brokers:9093' } }),
          /names kafka-0, but this StatefulSet was hardened as brokers only/,
        ));

      test('that is configured as a controller is refused', () =>
        refused(
          launch({
            environment: { ...broker, KAFKA_PROCESS_ROLES: 'controller' },
            files: facts(threeControllers),
          }),
          /no controllers are known|something else than broker/,
        ));

      test('may have a port that the controllers have on other pods', async () => {
        const run = await launch({
          environment: { ...broker, WARDEN_FACTS: 'use' },
          files: facts('1@c-0.c.demo.svc:9092'),
        });
        assert.equal(run.code, 0, run.output);
      });
    });

    describe('a broker of a ZooKeeper cluster', () => {
      const zookeeper = {
        WARDEN_ROLE: 'zookeeper',
        WARDEN_VOTERS: '0',
        KAFKA_ZOOKEEPER_CONNECT: 'zk:2181/kafka',
      };

      test('has broker.id, no quorum and no cluster id', async () => {
        const run = await launch({
          pod: 'kafka-1',
          environment: { ...zookeeper, WARDEN_DIALECT: 'confluent' },
        });
        assert.equal(run.code, 0, run.output);
        assert.equal(inEnvironment(run, 'broker.id'), '1');
        for (const name of [
          'node.id',
          'process.roles',
          'controller.quorum.voters',
          'controller.listener.names',
        ])
          assert.equal(inEnvironment(run, name), undefined, name);
        assert.equal(run.environment['CLUSTER_ID'], undefined);
        assert.equal(inEnvironment(run, 'listeners'), 'CLIENT://:9092,INTERNAL://:9091');
        assert.equal(inEnvironment(run, 'zookeeper.connect'), 'zk:2181/kafka');
        assert.equal(inEnvironment(run, 'reserved.broker.max.id'), undefined);
        assert.match(inEnvironment(run, 'authorizer.class.name') ?? '', /AclAuthorizer$/);
      });

      test('needs no store for the quorum', async () => {
        const pod = await prepare({});
        await rm(join(pod.keys, 'kafka-0.controller.p12'));
        const { child, text } = start(pod, { environment: zookeeper });
        assert.equal((await endOf(pod, child, text)).code, 0);
      });

      test('with an id that Kafka would give out itself raises that limit', async () => {
        const run = await launch({ environment: { ...zookeeper, WARDEN_ID_OFFSET: '2000' } });
        assert.equal(inEnvironment(run, 'broker.id'), '2000');
        assert.equal(inEnvironment(run, 'reserved.broker.max.id'), '2000');
      });

      test('keeps the id that its volume has', async () => {
        const run = await launch({
          environment: zookeeper,
          files: { 'data/meta.properties': 'version=0\nbroker.id=1001\n' },
        });
        assert.equal(inEnvironment(run, 'broker.id'), '1001');
        assert.equal(inEnvironment(run, 'reserved.broker.max.id'), '1001');
      });

      test('is not formatted', async () => {
        const run = await launchFile('zookeeper.connect=zk:2181\nbroker.id=-1\n', {
          environment: { WARDEN_ROLE: 'zookeeper' },
        });
        assert.equal(run.program, 'kafka-server-start.sh', run.output);
        assert.equal(run.format, undefined);
        assert.equal(run.property('broker.id'), '0');
      });

      test('without ZooKeeper is refused', () =>
        refused(launch({ environment: { WARDEN_ROLE: 'zookeeper' } }), /zookeeper\.connect is not set/));

      test('in KRaft mode is refused', () =>
        refused(
          launch({ environment: { ...zookeeper, KAFKA_PROCESS_ROLES: 'broker' } }),
          /process\.roles is set, but/,
        ));

      test('that was hardened as KRaft is refused', async () => {
        for (const [role, as] of [
          ['combined', 'KRaft brokers'],
          ['broker', 'KRaft brokers'],
          ['controller', 'KRaft controllers'],
        ])
          await refused(
            launch({ environment: { ...zookeeper, WARDEN_ROLE: role ?? '' } }),
            new RegExp(`zookeeper\\.connect is set, but this StatefulSet was hardened as ${as}`),
          );
      });
    });

    describe('a role that only the start can know', () => {
      const unseen = { WARDEN_ROLE: 'unseen' };

      test('is combined where nothing is said', async () => {
        const run = await launch({ environment: unseen });
        assert.equal(inEnvironment(run, 'process.roles'), 'broker,controller');
      });

      test('is combined where both roles are said, in any order', async () => {
        const run = await launch({
          environment: unseen,
          files: { 'mounted.properties': 'process.roles = controller, broker\r\n' },
        });
        assert.equal(inEnvironment(run, 'process.roles'), 'broker,controller', run.output);
      });

      test('is a ZooKeeper broker where only zookeeper.connect is set, and guards follow', async () => {
        const run = await launch({ environment: { ...unseen, KAFKA_ZOOKEEPER_CONNECT: 'zk:2181' } });
        assert.equal(inEnvironment(run, 'broker.id'), '0', run.output);
        assert.match(inEnvironment(run, 'authorizer.class.name') ?? '', /AclAuthorizer$/);
      });

      test('is refused with the annotation to write where it is half of a cluster', async () => {
        for (const role of ['broker', 'controller'])
          await refused(
            launch({ environment: { ...unseen, KAFKA_PROCESS_ROLES: role } }),
            new RegExp(
              `annotate the StatefulSet kafka-warden\\.io/role=${role} and kafka-warden\\.io/cluster=CLUSTER`,
            ),
          );
      });

      test('is refused in a migration', () =>
        refused(
          launch({
            environment: {
              ...unseen,
              KAFKA_ZOOKEEPER_CONNECT: 'zk',
              KAFKA_PROCESS_ROLES: 'broker,controller',
            },
          }),
          /zookeeper\.connect is set/,
        ));
    });

    describe('facts of the cluster', () => {
      test('give the replication that the number of brokers allows', async () => {
        const run = await launch({
          environment: { WARDEN_FACTS: 'use', WARDEN_RF: '1', WARDEN_MIN_ISR: '1' },
          files: facts(''),
        });
        assert.equal(inEnvironment(run, 'default.replication.factor'), '3');
        assert.equal(inEnvironment(run, 'min.insync.replicas'), '2');
      });

      test('are not read where they are not asked for', async () => {
        const run = await launch({
          environment: { WARDEN_RF: '2', WARDEN_MIN_ISR: '1' },
          files: facts('9@other-0.x.y.svc:1'),
        });
        assert.equal(inEnvironment(run, 'default.replication.factor'), '2');
        assert.equal(inEnvironment(run, 'min.insync.replicas'), '1');
        assert.match(inEnvironment(run, 'controller.quorum.voters') ?? '', /^0@kafka-0/);
      });

      test('give the cluster id where nothing else does', async () => {
        const run = await launch({ environment: { WARDEN_FACTS: 'use', CLUSTER_ID: '' }, files: facts('') });
        assert.equal(run.environment['CLUSTER_ID'], 'factsfactsfactsfactsfa');
        const own = await launch({
          environment: { WARDEN_FACTS: 'use', CLUSTER_ID: 'own' },
          files: facts(''),
        });
        assert.equal(own.environment['CLUSTER_ID'], 'own');
      });

      test('that know a pod by another id yield to the id that it has, and say the annotation', async () => {
        const run = await launch({
          pod: 'kafka-1',
          environment: { WARDEN_FACTS: 'use', KAFKA_NODE_ID: '2' },
          files: facts('0@kafka-0.brokers.demo.svc:9093,1@kafka-1.brokers.demo.svc:9093'),
        });
        assert.equal(inEnvironment(run, 'node.id'), '2');
        assert.match(inEnvironment(run, 'controller.quorum.voters') ?? '', /^1@kafka-0\..*,2@kafka-1\./);
        assert.match(run.output, /kafka-warden\.io\/id-offset=1/);
      });

      test('decide the id where the quorum depends on them', async () => {
        const run = await launch({
          pod: 'kafka-1',
          environment: { WARDEN_FACTS: 'need', KAFKA_NODE_ID: '2' },
          files: facts('0@kafka-0.brokers.demo.svc:9093,1@kafka-1.brokers.demo.svc:9093'),
        });
        assert.equal(inEnvironment(run, 'node.id'), '1');
        assert.match(run.output, /knows kafka-1 as node 1: that id is taken instead of 2/);
      });
    });

    describe('guards', () => {
      test('let a line count for the roles that they name', async () => {
        const settings =
          '@broker,controller a=1\n@combined b=2\n@combined !c\n@broker !d\ne=3\nlog.dirs=/nowhere';
        const run = await launch({ environment: { WARDEN_SETTINGS: settings, KAFKA_C: 'x', KAFKA_D: 'x' } });
        assert.equal(inEnvironment(run, 'a'), undefined);
        assert.equal(inEnvironment(run, 'b'), '2');
        assert.equal(inEnvironment(run, 'c'), undefined);
        assert.equal(inEnvironment(run, 'd'), 'x');
        assert.equal(inEnvironment(run, 'e'), '3');
      });

      test('around something that is no setting stop the start', () =>
        refused(
          launch({ environment: { WARDEN_SETTINGS: '@combined what is this' } }),
          /a line that is no setting/,
        ));

      test('with a role that does not exist stop the start', () =>
        refused(launch({ environment: { WARDEN_ROLE: 'boss' } }), /WARDEN_ROLE is boss, which is no role/));
    });

    describe('a start with a properties file', () => {
      test('renders the file, formats with it, and starts with it', async () => {
        const run = await launchFile('node.id=7\nlog.retention.hours=5\nlisteners=PLAINTEXT://:9092\n', {
          environment: { WARDEN_NODE_ID: 'ordinal' },
        });
        assert.equal(run.code, 0, run.output);
        assert.equal(run.program, 'kafka-server-start.sh');
        assert.deepEqual(run.arguments, [run.arguments[0]]);
        assert.match(run.arguments[0] ?? '', /run\/server\.properties$/);
        assert.equal(run.property('node.id'), '0');
        assert.equal(run.property('log.retention.hours'), '5');
        assert.equal(run.property('listeners'), 'CLIENT://:9092,INTERNAL://:9091,CONTROLLER://:9093');
        assert.deepEqual(run.format, [
          'format',
          '--ignore-formatted',
          '-t',
          'layoutlayoutlayoutlayo',
          '-c',
          run.arguments[0],
        ]);
        assert.equal((await stat(run.arguments[0] ?? '')).mode & 0o777, 0o600);
      });

      test('does not look at the environment, which kafka-server-start does not read either', async () => {
        const run = await launchFile('a=1\n', {
          environment: {
            KAFKA_LOG_RETENTION_HOURS: '5',
            KAFKA_PROCESS_ROLES: 'controller',
            WARDEN_DIALECT: 'confluent',
          },
        });
        assert.equal(run.property('process.roles'), 'broker,controller', run.output);
        assert.equal(run.property('log.retention.hours'), undefined);
      });

      test('applies --override over the file and the settings over both', async () => {
        const run = await launchFile('log.dirs=/file\nmin.insync.replicas=1\n', {
          arguments: [
            'kafka-server-start.sh',
            '-daemon',
            'server.properties',
            '--override',
            'log.retention.hours=5',
            '--override=log.dirs=/over ride',
            '--override',
            'min.insync.replicas=1',
            '--override',
            'own.value= C:\\new\nline=1',
          ],
          environment: { WARDEN_MIN_ISR: '2' },
        });
        assert.equal(run.code, 0, run.output);
        assert.deepEqual(run.arguments.slice(1), []);
        assert.equal(run.property('log.retention.hours'), '5');
        assert.equal(run.property('log.dirs'), '/over ride');
        assert.equal(run.property('min.insync.replicas'), '2');
        assert.equal(run.property('own.value'), '\\ C:\\\\new\\nline=1');
      });

      test('understands every form of a Java properties file and keeps its escapes', async () => {
        const run = await launchFile(
          [
            '# process.roles=controller',
            '! node.id=3',
            '  a.b : one\\',
            '     two',
            'c.d\tthree\r',
            'path=C:\\\\dir\\u0041',
            'k\\:ey=v',
            'empty=',
            'alone',
            'last=x\\',
          ].join('\n'),
        );
        assert.equal(run.property('a.b'), 'onetwo');
        assert.equal(run.property('c.d'), 'three');
        assert.equal(run.property('path'), 'C:\\\\dir\\u0041');
        assert.equal(run.property('k\\:ey'), 'v');
        assert.equal(run.property('empty'), '');
        assert.equal(run.property('alone'), '');
        assert.equal(run.property('last'), 'x');
      });

      test('leaves out what must not be set', async () => {
        const run = await launchFile(
          'security.inter.broker.protocol=PLAINTEXT\ncontroller.quorum.bootstrap.servers=x:1\n',
        );
        assert.equal(run.property('security.inter.broker.protocol'), undefined, run.output);
        assert.equal(run.property('controller.quorum.bootstrap.servers'), undefined);
      });

      test('finds the programs of Confluent on the path', async () => {
        const pod = await prepare({ files: { 'kafka.properties': 'a=1\n' } });
        const child = startIn(pod, script, {
          arguments: ['kafka-server-start', 'kafka.properties'],
          environment: { WARDEN_SETTINGS: settingsFor(pod) },
        });
        const started = await endOf(pod, child, listenTo(child).text);
        assert.equal(started.program, 'kafka-server-start');
        assert.equal(started.format?.[0], 'format');
      });

      test('that cannot format says what the tool said, and starts nothing', async () => {
        const pod = await prepare({ files: { 'server.properties': 'a=1\n' } });
        await writeFile(
          join(pod.bin, 'kafka-storage.sh'),
          '#!/bin/bash\necho "Cluster ID mismatch" >&2; exit 1\n',
        );
        const { child, text } = start(pod, { arguments: ['kafka-server-start.sh', 'server.properties'] });
        const run = await endOf(pod, child, text);
        assert.equal(run.code, 78);
        assert.match(run.output, /could not format the log directories: Cluster ID mismatch/);
        assert.equal(run.program, undefined);
      });

      test('without a file, or with one that is not there, is refused', async () => {
        await refused(
          launch({ arguments: ['kafka-server-start.sh'] }),
          /is started without a properties file/,
        );
        await refused(
          launch({ arguments: ['kafka-server-start.sh', '/no/file'] }),
          /\/no\/file cannot be read/,
        );
        await refused(
          launchFile('', { arguments: ['kafka-server-start.sh', 'server.properties', '--override'] }),
          /is no key=value/,
        );
      });

      test('needs a place for the rendered file', async () => {
        await refused(
          launchFile('a=1\n', { environment: { WARDEN_RUN: '/no/such/directory' } }),
          /must be an emptyDir/,
        );
      });

      test('of a program that nobody knows is refused', () =>
        refused(
          launch({ arguments: ['run'], environment: { WARDEN_DIALECT: 'plain' } }),
          /none of the programs that the launcher knows/,
        ));

      test('with nothing to start is refused', () =>
        refused(launch({ arguments: [''] }), /nothing to start/));
    });

    describe('the volume', () => {
      test('of a lost disk waits for a person in every mode', async () => {
        for (const environment of [{}, { WARDEN_ROLE: 'zookeeper', KAFKA_ZOOKEEPER_CONNECT: 'zk' }]) {
          const pod = await prepare({ files: { 'keys/kafka-0.formatted': 'claim-uid' } });
          const { child, text, says } = start(pod, { environment });
          await says('annotate the StatefulSet with kafka-warden.io/confirm-empty-disk=kafka-0');
          await writeFile(join(pod.keys, 'kafka-0.format-confirmed'), '');
          assert.equal((await endOf(pod, child, text)).code, 0);
        }
      });

      test('that has data where the image keeps it is used as it is', async () => {
        for (const dialect of ['confluent', 'apache']) {
          const pod = await prepare({ files: { 'usual/meta.properties': 'cluster.id=abc\n' } });
          const usual = join(pod.root, 'usual');
          const environment = { WARDEN_DIALECT: dialect, WARDEN_USUAL_DATA: usual };
          const { child, text } = start(pod, { environment });
          const run = await endOf(pod, child, text);
          assert.equal(inEnvironment(run, 'log.dirs'), dialect === 'confluent' ? usual : pod.data);
        }
      });

      test('under the older name of its setting is found', async () => {
        const run = await launch({ files: { 'mounted.properties': 'log.dir=/var/own\n' } });
        assert.equal(inEnvironment(run, 'log.dirs'), '/var/own', run.output);
      });

      test('that is the only one counts: a directory elsewhere goes with the pod', async () => {
        const pod = await prepare({ files: { 'server.properties': 'log.dirs=/tmp/nowhere-kafka\n' } });
        const { child, text } = start(pod, {
          arguments: ['kafka-server-start.sh', 'server.properties'],
          environment: { WARDEN_VOLUMES: pod.data },
        });
        const run = await endOf(pod, child, text);
        assert.match(run.output, /\/tmp\/nowhere-kafka is on no volume of this StatefulSet/);
        assert.equal(run.property('log.dirs'), `${pod.data}/kafka`);
      });

      test('of another node is refused, with the offset that fits', () =>
        refused(
          launch({ files: { 'data/meta.properties': 'cluster.id=abc\nnode.id=7\n' } }),
          /belongs to node 7, but kafka-0 is node 0: annotate the StatefulSet kafka-warden\.io\/id-offset=7/,
        ));

      test('whose root is a disk’s is used one directory below, until Kafka’s own data lies there', async () => {
        const pod = await prepare({ files: { 'data/lost+found/x': '' } });
        const { child, text } = start(pod, {});
        const run = await endOf(pod, child, text);
        assert.equal(inEnvironment(run, 'log.dirs'), `${pod.data}/kafka`, run.output);
        assert.match(run.output, /is the root of a disk/);
        await writeFile(join(pod.data, 'meta.properties'), 'cluster.id=abc\n');
        const again = start(pod, {});
        assert.equal(inEnvironment(await endOf(pod, again.child, again.text), 'log.dirs'), pod.data);
      });

      test('of a controller may be its metadata directory', async () => {
        const pod = await prepare({
          files: { 'meta/meta.properties': 'cluster.id=abc\n', 'keys/kafka-0.formatted': 'uid' },
        });
        const { child, text } = start(pod, {
          environment: { WARDEN_ROLE: 'controller', KAFKA_METADATA_LOG_DIR: join(pod.root, 'meta') },
        });
        const run = await endOf(pod, child, text);
        assert.equal(run.environment['CLUSTER_ID'], 'abc', run.output);
      });
    });

    describe('security of the manifest’s own that lies in a file', () => {
      for (const line of [
        'ssl.keystore.location=/certs/kafka.jks',
        'listener.name.sasl_ssl.scram-sha-256.sasl.jaas.config=x required;',
        'authorizer.class.name=com.example.Own',
        'principal.builder.class=com.example.Own',
      ])
        test(`is not mixed with ours: ${line}`, () =>
          refused(launchFile(`${line}\n`), /is not hardened half; remove its security settings, or label/));

      test('is none where only an empty value or a limit is set', async () => {
        const run = await launchFile('ssl.client.auth=none\nssl.keystore.location=\nssl.protocol=TLSv1.3\n');
        assert.equal(run.code, 0, run.output);
      });
    });

    describe('racks', () => {
      const zones = { WARDEN_ZONE: 'zone-a', WARDEN_RACK: '' };

      test('come from the zone, unless the pod or the manifest names one', async () => {
        assert.equal(inEnvironment(await launch({ environment: zones }), 'broker.rack'), 'zone-a');
        const annotated = await launch({ environment: { ...zones, WARDEN_RACK: 'rack-7' } });
        assert.equal(inEnvironment(annotated, 'broker.rack'), 'rack-7');
        const given = await launch({ environment: { ...zones, KAFKA_BROKER_RACK: 'own' } });
        assert.equal(inEnvironment(given, 'broker.rack'), 'own');
      });

      test('stay unset in ZooKeeper mode, where one broker without a rack stops the making of topics', async () => {
        const zookeeper = { ...zones, WARDEN_ROLE: 'zookeeper', KAFKA_ZOOKEEPER_CONNECT: 'zk' };
        assert.equal(inEnvironment(await launch({ environment: zookeeper }), 'broker.rack'), undefined);
      });
    });

    describe('stores', () => {
      test('in PEM form are waited for by their names', async () => {
        const pod = await prepare({});
        const { child, text, says } = start(pod, { environment: { WARDEN_STORES: 'pem' } });
        await says('waiting: no keystore for kafka-0');
        for (const name of ['kafka-0.pem', 'kafka-0.controller.pem', 'nodes.pem']) {
          assert.equal(child.exitCode, null);
          await writeFile(join(pod.keys, name), 'pem');
        }
        assert.equal((await endOf(pod, child, text)).code, 0);
      });
    });

    describe('further listeners for clients', () => {
      const external = {
        WARDEN_EXTERNAL: 'EXTERNAL=OUTSIDE:9094 EXTERNAL2=V6:9095',
        KAFKA_ADVERTISED_LISTENERS:
          'PLAINTEXT://x:9092, OUTSIDE://broker-0.example.org:31000,V6://[2001:db8::1]:9095',
      };

      test('are advertised where the manifest advertises them', async () => {
        const run = await launch({ environment: external });
        assert.match(
          inEnvironment(run, 'advertised.listeners') ?? '',
          /:9091,EXTERNAL:\/\/broker-0\.example\.org:31000,EXTERNAL2:\/\/\[2001:db8::1\]:9095$/,
        );
        assert.match(inEnvironment(run, 'listeners') ?? '', /,EXTERNAL:\/\/:9094,EXTERNAL2:\/\/:9095$/);
        assert.match(
          inEnvironment(run, 'listener.security.protocol.map') ?? '',
          /,EXTERNAL:SASL_SSL,EXTERNAL2:SASL_SSL$/,
        );
      });

      test('that the settings name already are not doubled', async () => {
        const pod = await prepare({});
        const settings = `${settingsFor(pod)}listeners+=EXTERNAL://:9094\nlistener.security.protocol.map+=EXTERNAL:SSL\n`;
        const { child, text } = start(pod, { environment: { ...external, WARDEN_SETTINGS: settings } });
        const run = await endOf(pod, child, text);
        assert.equal(inEnvironment(run, 'listeners')?.match(/EXTERNAL:/g)?.length, 1);
        assert.match(inEnvironment(run, 'listener.security.protocol.map') ?? '', /EXTERNAL:SSL/);
      });

      test('that are advertised nowhere are advertised by the name of the pod, and that is said', async () => {
        const run = await launch({ environment: { WARDEN_EXTERNAL: 'EXTERNAL=OUTSIDE:9094' } });
        assert.match(
          inEnvironment(run, 'advertised.listeners') ?? '',
          /,EXTERNAL:\/\/kafka-0\.brokers\.demo\.svc:9094$/,
        );
        assert.match(run.output, /the listener OUTSIDE is not advertised anywhere/);
      });
    });

    describe("the manifest's own formatting", () => {
      const formatting = (...given: string[]) => ({ arguments: ['--format', 'kafka-storage.sh', ...given] });

      test('is left out, and its cluster id is kept for the start', async () => {
        for (const given of [
          ['-t', 'own-id'],
          ['--cluster-id', 'own-id'],
          ['--cluster-id=own-id'],
          ['-town-id'],
        ]) {
          const pod = await prepare({ files: { 'server.properties': 'a=1\n' } });
          const call = start(
            pod,
            formatting('format', '-c', 'server.properties', ...given, '--ignore-formatted'),
          );
          const first = await endOf(pod, call.child, call.text);
          assert.equal(first.code, 0, first.output);
          assert.equal(first.format, undefined);
          assert.match(
            first.output,
            /formatted when the node starts, with its final configuration and the cluster id own-id/,
          );
          const { child, text } = start(pod, { arguments: ['kafka-server-start.sh', 'server.properties'] });
          const run = await endOf(pod, child, text);
          assert.equal(run.format?.[3], 'own-id', run.output);
        }
      });

      test('with a random id leaves the cluster its own', async () => {
        const pod = await prepare({});
        const { child, text } = start(pod, {
          arguments: ['--format-anew', 'kafka-storage.sh', 'format', '-t', 'drawn', '-c', 'x'],
        });
        assert.match((await endOf(pod, child, text)).output, /with its final configuration$/m);
        await assert.rejects(readFile(join(pod.run, 'cluster.id')));
      });

      test('without an id leaves the cluster its own', async () => {
        const pod = await prepare({});
        const { child, text } = start(pod, formatting('format', '-c', 'x'));
        assert.match((await endOf(pod, child, text)).output, /with its final configuration$/m);
        await assert.rejects(readFile(join(pod.run, 'cluster.id')));
      });

      test('with an id that cannot be kept says nothing of it', async () => {
        const run = await launch({
          ...formatting('format', '-t', 'x'),
          environment: { WARDEN_RUN: '/no/where' },
        });
        assert.equal(run.code, 0);
        assert.match(run.output, /with its final configuration$/m);
      });

      test('is not what other calls of kafka-storage are', async () => {
        const pod = await prepare({});
        const { child, text } = start(pod, {
          arguments: ['--format', join(pod.bin, 'kafka-storage.sh'), 'random-uuid'],
        });
        assert.deepEqual((await endOf(pod, child, text)).format, ['random-uuid']);
      });
    });

    describe('a start script that admission could not see', () => {
      /** Runs a script with the launcher; `RUN` in it stands for the pod's program. */
      async function runScript(
        text: string,
        { environment = {} }: Options = {},
      ): Promise<Started & { pod: Pod }> {
        const pod = await prepare({ files: { 'server.properties': 'log.retention.hours=5\n' } });
        await writeFile(join(pod.root, 'start.sh'), text.replaceAll('BIN', pod.bin));
        const started = start(pod, {
          arguments: ['--script', join(pod.root, 'start.sh'), 'first', 'second argument'],
          environment,
        });
        return { pod, ...(await endOf(pod, started.child, started.text)) };
      }

      test('runs with its arguments and its name, and starts Kafka through the launcher', async () => {
        const run = await runScript(
          '#!/bin/bash\n# calls kafka-server-start.sh\necho "name=$0 count=$# second=$2"\nexport KEPT=yes\nexec BIN/kafka-server-start.sh "$PWD/server.properties" --override log.retention.hours="$((2 + 1))"\n',
        );
        assert.equal(run.code, 0, run.output);
        assert.match(
          run.output,
          new RegExp(`name=${run.pod.root}/start\\.sh count=2 second=second argument`),
        );
        assert.equal(run.property('log.retention.hours'), '3');
        assert.equal(run.property('process.roles'), 'broker,controller');
        assert.equal(run.environment['KEPT'], 'yes');
      });

      const calls: [string, string][] = [
        ['by its path in quotes', '"BIN/kafka-server-start.sh" server.properties'],
        ['by a variable and a path', 'D=BIN; "${D}/kafka-server-start.sh" server.properties'],
        ['by a quoted variable', 'D=BIN; exec "$D"/kafka-server-start.sh server.properties'],
        ['from the search path', 'exec kafka-server-start server.properties'],
        ['after assignments', 'A="1 2" B=\'3\' C=4 exec env D=5 kafka-server-start server.properties'],
        [
          'on a continued line',
          'exec \\\n  kafka-server-start.sh \\\n  server.properties \\\n  --override log.retention.hours=5',
        ],
        ['behind a condition', 'if true; then exec kafka-server-start.sh server.properties; fi'],
        [
          'after others on the same line',
          'true && cd . || exit 1; exec kafka-server-start.sh server.properties # the end',
        ],
        ['through a shell', 'exec env A=1 /bin/bash kafka-server-start.sh server.properties'],
        ['in a group', '(kafka-server-start.sh server.properties)'],
        ['without a last newline, for sh', 'exec kafka-server-start.sh server.properties'],
      ];
      for (const [how, line] of calls)
        test(`is followed to a call ${how}`, async () => {
          const run = await runScript(`#!/bin/sh -e\n${line}`);
          assert.equal(run.property('log.retention.hours'), '5', run.output);
          assert.equal(run.property('node.id'), '0');
          assert.notEqual(run.format, undefined);
        });

      test('has its own formatting left out', async () => {
        const run = await runScript(
          '#!/usr/bin/env bash\nID=$(BIN/kafka-storage.sh random-uuid)\nkafka-storage.sh format -t given-id -c server.properties && exec kafka-server-start.sh server.properties\n',
        );
        assert.deepEqual(
          run.format?.slice(0, 4),
          ['format', '--ignore-formatted', '-t', 'given-id'],
          run.output,
        );
      });

      test('may mention programs in here-documents and comments', async () => {
        const run = await runScript(
          '#!/bin/bash\ncat >notes <<-"END"\n\tkafka-server-start.sh nothing\n\tEND\ncat <<<here >/dev/null # kafka-server-start.sh <<EOF\ncp "$(command -v kafka-server-start.sh)" copied\nexec kafka-server-start.sh server.properties\n',
        );
        assert.equal(run.program, 'kafka-server-start.sh', run.output);
        assert.equal(await readFile(join(run.pod.root, 'notes'), 'utf8'), 'kafka-server-start.sh nothing\n');
      });

      test('that starts nothing known, or hides it from the launcher, is refused by name and line', async () => {
        await refused(
          runScript('#!/bin/bash\nexec java -jar kafka.jar\n'),
          /start\.sh calls none of the programs/,
        );
        for (const line of [
          '. /etc/kafka/docker/run',
          'su kafka -c "exec kafka-server-start.sh server.properties"',
          'exec bash -c "/etc/confluent/docker/run"',
          'true; eval kafka-server-start.sh server.properties',
        ])
          await refused(
            runScript(`#!/bin/bash\nkafka-server-start.sh server.properties --version\n${line}\n`),
            /line 3 of .*start\.sh starts Kafka through another command/,
          );
      });

      test('may start Kafka in one place or another', async () => {
        const run = await runScript(
          '#!/bin/bash\nif false; then\n  exec kafka-server-start.sh /no/file\nelse\n  exec kafka-server-start.sh server.properties\nfi\n',
        );
        assert.equal(run.property('node.id'), '0', run.output);
      });

      test('may be called by another shell, with options that would end the launcher', async () => {
        for (const shell of [['sh'], ['bash', '-e'], ['bash', '--posix', '-eu']]) {
          const pod = await prepare({
            files: { 'server.properties': 'a=1\n', start: 'exec kafka-server-start.sh server.properties' },
          });
          const [file = '', ...options] = shell;
          const child = spawn(file, [...options, script, '--script', 'start'], {
            cwd: pod.root,
            env: {
              PATH: `${pod.bin}:/usr/bin:/bin`,
              ...environmentOf(pod),
              WARDEN_SETTINGS: settingsFor(pod),
            },
          });
          const run = await endOf(pod, child, listenTo(child).text);
          assert.equal(run.property('node.id'), '0', run.output);
        }
      });

      test('for another interpreter, or that is not there, is refused', async () => {
        await refused(runScript('#!/usr/bin/python3\nprint()\n'), /is a script for \/usr\/bin\/python3/);
        await refused(launch({ arguments: ['--script', '/no/script'] }), /\/no\/script cannot be read/);
      });
    });

    describe("Bitnami's images", () => {
      /** A pod with the image's directories, whose entrypoint writes down what it is given. */
      async function bitnami(options: Options & { mountedFile?: string; ownFile?: string }) {
        const pod = await prepare(options);
        const home = join(pod.root, 'opt/kafka');
        await mkdir(join(home, 'bin'), { recursive: true });
        await mkdir(join(home, 'config'));
        await mkdir(join(pod.root, 'mounted'), { recursive: true });
        for (const name of ['kafka-storage.sh', 'kafka-server-start.sh'])
          await writeFile(join(home, 'bin', name), await readFile(join(pod.bin, name)), { mode: 0o755 });
        const own = join(home, 'config/server.properties');
        if (options.ownFile !== undefined) await writeFile(own, options.ownFile);
        if (options.mountedFile !== undefined)
          await writeFile(join(pod.root, 'mounted/server.properties'), options.mountedFile);
        const environment = {
          WARDEN_DIALECT: 'bitnami',
          WARDEN_BITNAMI: join(pod.root, 'opt'),
          KAFKA_MOUNTED_CONF_DIR: join(pod.root, 'mounted'),
          ...options.environment,
        };
        const launchIt = async () => {
          const { child, text } = start(pod, {
            arguments: ['run', '/run.sh', ...(options.arguments ?? [])],
            environment,
          });
          const run = await endOf(pod, child, text);
          const file = await readFile(own, 'utf8').catch(() => '');
          const property = (name: string) =>
            file
              .split('\n')
              .find((l) => l.startsWith(`${name}=`))
              ?.slice(name.length + 1);
          return { ...run, file, property };
        };
        return { pod, own, launchIt };
      }

      test('get a complete file where they take one, and format no storage', async () => {
        const { launchIt, own } = await bitnami({
          environment: {
            KAFKA_CFG_LOG_RETENTION_HOURS: '5',
            KAFKA_CFG_NUM_PARTITIONS: '1',
            KAFKA_NUM_PARTITIONS: '3',
            KAFKA_CFG_LISTENER_NAME_SASL_SSL_X: 'y',
            KAFKA_KRAFT_CLUSTER_ID: 'bitnami-id',
            CLUSTER_ID: 'other',
            WARDEN_SETTINGS: 'node.id=@ordinal',
          },
        });
        const run = await launchIt();
        assert.equal(run.code, 0, run.output);
        assert.equal(run.program, 'run');
        assert.deepEqual(run.arguments, ['/run.sh']);
        assert.equal(run.environment['KAFKA_SKIP_KRAFT_STORAGE_INIT'], 'true');
        assert.equal(run.property('log.retention.hours'), '5');
        assert.equal(run.property('num.partitions'), '3');
        assert.equal(run.property('listener.name.sasl_ssl.x'), 'y');
        assert.equal(run.property('process.roles'), 'broker,controller');
        assert.equal(run.format?.[3], 'bitnami-id');
        assert.ok((await readFile(own, 'utf8')).startsWith('# Written by kafka-warden'));
      });

      test('may compute ids by a command', async () => {
        const { launchIt } = await bitnami({ environment: { KAFKA_NODE_ID_COMMAND: 'echo $((40 + 2))' } });
        assert.equal((await launchIt()).property('node.id'), '42');
      });

      test('give overrides behind the settings, not over them', async () => {
        const { launchIt } = await bitnami({
          arguments: ['--override', 'process.roles=broker,controller'],
          environment: {
            KAFKA_EXTRA_FLAGS: '--override log.retention.hours=7 --override min.insync.replicas=1',
            WARDEN_MIN_ISR: '2',
          },
        });
        const run = await launchIt();
        assert.equal(run.property('log.retention.hours'), '7', run.output);
        assert.equal(run.property('min.insync.replicas'), '2');
        assert.equal(run.environment['KAFKA_EXTRA_FLAGS'], undefined);
        assert.deepEqual(run.arguments, ['/run.sh']);
      });

      test('with a mounted file take it instead of variables, and the files beside it', async () => {
        const { launchIt, pod } = await bitnami({
          mountedFile: 'log.retention.hours=5\n',
          files: { 'mounted/log4j.properties': 'log4j\n' },
          environment: { KAFKA_CFG_LOG_RETENTION_HOURS: '6' },
        });
        const run = await launchIt();
        assert.equal(run.property('log.retention.hours'), '5', run.output);
        assert.equal(await readFile(join(pod.root, 'opt/kafka/config/log4j.properties'), 'utf8'), 'log4j\n');
      });

      test('with a file of their own start from it again after a restart', async () => {
        const { launchIt } = await bitnami({
          ownFile: 'advertised.listeners=OUT://host:31000\n',
          environment: { WARDEN_EXTERNAL: 'EXTERNAL=OUT:9094' },
        });
        for (const _ of [1, 2]) {
          const run = await launchIt();
          assert.match(run.property('advertised.listeners') ?? '', /,EXTERNAL:\/\/host:31000$/, run.output);
        }
      });

      test('whose file cannot be replaced are started with ours', async () => {
        const { launchIt, own } = await bitnami({ ownFile: 'log.retention.hours=5\n' });
        await rm(own);
        await mkdir(own);
        const run = await launchIt();
        assert.equal(run.program, 'kafka-server-start.sh', run.output);
        assert.match(run.arguments.join(), /run\/server\.properties$/);
      });

      test('with a protocol for ZooKeeper that only they can turn into settings are refused', async () => {
        const { launchIt } = await bitnami({ environment: { KAFKA_ZOOKEEPER_PROTOCOL: 'SASL' } });
        await refused(launchIt(), /KAFKA_ZOOKEEPER_PROTOCOL is SASL.*write them as KAFKA_CFG_ZOOKEEPER_/);
      });
    });

    /** A StatefulSet with one container. */
    const setOf = (name: string, image: string, env: Record<string, string> = {}): StatefulSet => ({
      metadata: { name },
      spec: {
        serviceName: 'brokers',
        replicas: 3,
        selector: { matchLabels: { app: name } },
        template: {
          metadata: { labels: { app: name } },
          spec: {
            containers: [
              {
                name: 'kafka',
                image,
                env: Object.entries(env).map(([key, value]) => ({ name: key, value })),
                volumeMounts: [{ name: 'data', mountPath: '/data' }],
              },
            ],
          },
        },
        volumeClaimTemplates: [{ metadata: { name: 'data' }, spec: {} }],
      },
    });

    describe('with the settings that the rules write', () => {
      /** Hardens a set and starts its pod 0 with the environment that it then has, references resolved as the kubelet does. */
      async function harden0(set: StatefulSet, files: Record<string, string> = {}): Promise<Started> {
        const { workload, decision } = harden(set, { namespace: 'demo' });
        assert.equal(decision, 'hardened');
        const name = `${set.metadata?.name}-0`;
        const environment: Record<string, string> = {};
        for (const entry of workload.spec?.template.spec?.containers[0]?.env ?? [])
          if (entry.value !== undefined)
            environment[entry.name] = entry.value.replaceAll('$(WARDEN_POD)', name);
        return launch({ pod: name, environment: { ...environment, WARDEN_RUN: '' }, files });
      }

      const cases: [string, StatefulSet, string, string][] = [
        [
          'combined',
          setOf('kafka', 'confluentinc/cp-kafka:7.9.1', { KAFKA_PROCESS_ROLES: 'broker,controller' }),
          'broker,controller',
          'CLIENT://:9092,INTERNAL://:9091,CONTROLLER://:9093',
        ],
        [
          'a controller',
          setOf('controllers', 'apache/kafka:4.1.0', { KAFKA_PROCESS_ROLES: 'controller' }),
          'controller',
          'CONTROLLER://:9093',
        ],
        [
          'a broker',
          setOf('kafka', 'apache/kafka:4.1.0', {
            KAFKA_PROCESS_ROLES: 'broker',
            KAFKA_CONTROLLER_QUORUM_VOTERS: '1000@controllers-0.controllers:9093',
          }),
          'broker',
          'CLIENT://:9092,INTERNAL://:9091',
        ],
      ];
      for (const [what, set, roles, listeners] of cases)
        test(`${what} starts`, async () => {
          const run = await harden0(set, facts('1000@controllers-0.brokers.demo.svc:9093'));
          assert.equal(run.code, 0, run.output);
          assert.equal(inEnvironment(run, 'process.roles'), roles);
          assert.equal(inEnvironment(run, 'listeners'), listeners);
          assert.notEqual(inEnvironment(run, 'node.id'), undefined);
          assert.notEqual(inEnvironment(run, 'controller.quorum.voters'), undefined);
          assert.equal(inEnvironment(run, 'advertised.listeners') === undefined, roles === 'controller');
        });

      test('a broker of a ZooKeeper cluster starts', async () => {
        const run = await harden0(
          setOf('kafka', 'confluentinc/cp-kafka:7.9.1', { KAFKA_ZOOKEEPER_CONNECT: 'zk:2181' }),
        );
        assert.equal(run.code, 0, run.output);
        assert.equal(inEnvironment(run, 'broker.id'), '0');
        assert.equal(inEnvironment(run, 'listeners'), 'CLIENT://:9092,INTERNAL://:9091');
      });
    });

    describe('the smallest image', () => {
      test('bash with a handful of coreutils is enough, and nothing is written outside the directory for it', async () => {
        const pod = await prepare({
          files: { 'server.properties': 'a=1\n', 'data/meta.properties': 'cluster.id=abc\n' },
        });
        for (const tool of ['cat', 'sleep', 'sort', 'mv', 'env', 'basename', 'bash'])
          await writeFile(join(pod.bin, tool), `#!/bin/bash\nexec /usr/bin/${tool} "$@"\n`, { mode: 0o755 });
        const { child, text } = start(pod, {
          arguments: ['kafka-server-start.sh', join(pod.root, 'server.properties')],
          environment: { PATH: pod.bin, TMPDIR: '/no/such/directory' },
        });
        const run = await endOf(pod, child, text);
        assert.equal(run.code, 0, run.output);
        assert.doesNotMatch(run.output, /not found|cannot create/);
        assert.equal(run.property('node.id'), '0');
        assert.equal(run.format?.[3], 'abc');
      });
    });
  });
