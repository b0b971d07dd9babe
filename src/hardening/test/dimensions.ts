import fc from 'fast-check';
import type { StatefulSet } from '../model.ts';

/** What a generated manifest was drawn from. */
export interface Dimensions {
  image: (typeof images)[number];
  mode: 'combined' | 'broker' | 'controller' | 'zookeeper' | 'hidden';
  delivery: 'environment' | 'arguments' | 'shell' | 'envFrom' | 'file' | 'here-document' | 'script file';
  storage: 'claim' | 'named claim' | 'emptyDir' | 'hostPath' | 'none' | 'two claims';
  security: 'none' | 'own';
  listeners: 'one' | 'inter-broker apart' | 'external' | 'localhost';
  replicas: number | undefined;
}

export const images = [
  { image: 'apache/kafka:4.1.0', run: '/etc/kafka/docker/run', prefix: 'KAFKA_', zookeeper: false },
  { image: 'apache/kafka-native:4.1.0', run: '/etc/kafka/docker/run', prefix: 'KAFKA_', zookeeper: false },
  {
    image: 'confluentinc/cp-kafka:7.9.0',
    run: '/etc/confluent/docker/run',
    prefix: 'KAFKA_',
    zookeeper: true,
  },
  {
    image: 'confluentinc/cp-server:8.1.0',
    run: '/etc/confluent/docker/run',
    prefix: 'KAFKA_',
    zookeeper: false,
  },
  {
    image: 'bitnamilegacy/kafka:3.9.0',
    run: '/opt/bitnami/scripts/kafka/entrypoint.sh /opt/bitnami/scripts/kafka/run.sh',
    prefix: 'KAFKA_CFG_',
    zookeeper: true,
  },
  { image: 'corp.example/platform/kafka:3.9.1', run: undefined, prefix: 'KAFKA_', zookeeper: true },
] as const;

export const dimensions: fc.Arbitrary<Dimensions> = fc.record({
  image: fc.constantFrom(...images),
  mode: fc.constantFrom('combined', 'broker', 'controller', 'zookeeper', 'hidden'),
  delivery: fc.constantFrom(
    'environment',
    'arguments',
    'shell',
    'envFrom',
    'file',
    'here-document',
    'script file',
  ),
  storage: fc.constantFrom('claim', 'claim', 'named claim', 'emptyDir', 'hostPath', 'none', 'two claims'),
  security: fc.constantFrom('none', 'none', 'none', 'own'),
  listeners: fc.constantFrom('one', 'inter-broker apart', 'external', 'localhost'),
  replicas: fc.constantFrom(undefined, 0, 1, 2, 3, 5),
});

const listenersOf: Record<Dimensions['listeners'], Record<string, string>> = {
  one: {
    listeners: 'PLAINTEXT://:9092',
    'advertised.listeners': 'PLAINTEXT://$(POD_NAME).kafka:9092',
  },
  'inter-broker apart': {
    listeners: 'INTERNAL://:29092,APPS://:9092',
    'advertised.listeners': 'INTERNAL://$(POD_NAME).kafka:29092,APPS://$(POD_NAME).kafka:9092',
    'inter.broker.listener.name': 'INTERNAL',
    'listener.security.protocol.map': 'INTERNAL:PLAINTEXT,APPS:PLAINTEXT,CONTROLLER:PLAINTEXT',
  },
  external: {
    listeners: 'PLAINTEXT://:9092,OUTSIDE://:9094',
    'advertised.listeners': 'PLAINTEXT://$(POD_NAME).kafka:9092,OUTSIDE://kafka.example.org:9094',
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,OUTSIDE:PLAINTEXT,CONTROLLER:PLAINTEXT',
  },
  localhost: {
    listeners: 'PLAINTEXT://:29092,PLAINTEXT_HOST://:9092',
    'advertised.listeners': 'PLAINTEXT://$(POD_NAME).kafka:29092,PLAINTEXT_HOST://localhost:9092',
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,PLAINTEXT_HOST:PLAINTEXT,CONTROLLER:PLAINTEXT',
  },
};

function propertiesOf({ mode, listeners, security }: Dimensions): Record<string, string> {
  const clients = mode === 'controller' ? {} : listenersOf[listeners];
  const own =
    security === 'own' ? { 'ssl.keystore.location': '/certs/kafka.p12', 'ssl.client.auth': 'required' } : {};
  const controller = 'CONTROLLER://:9093';
  const bound = clients['listeners'];
  switch (mode) {
    case 'hidden':
      return own;
    case 'zookeeper':
      return { ...clients, ...own, 'zookeeper.connect': 'zk-0.zk:2181,zk-1.zk:2181/kafka' };
    case 'broker':
      return {
        ...clients,
        ...own,
        'process.roles': 'broker',
        'controller.quorum.voters': '3000@controller-0.controllers:9093,3001@controller-1.controllers:9093',
      };
    case 'controller':
      return { ...own, 'process.roles': 'controller', listeners: controller };
    case 'combined':
      return {
        ...clients,
        ...own,
        'process.roles': 'broker,controller',
        listeners: bound === undefined ? controller : `${bound},${controller}`,
      };
  }
}

const variable = (prefix: string, property: string) => prefix + property.replaceAll('.', '_').toUpperCase();

type Part = Record<string, unknown>;

/** The broker's container, by how its configuration is delivered. */
function brokerOf(d: Dimensions): Part {
  const { image, delivery } = d;
  const properties = Object.entries(propertiesOf(d));
  const run = image.run ?? '/opt/kafka/bin/kafka-server-start.sh /etc/kafka-config/server.properties';
  const env = properties.map(([name, value]) => ({ name: variable(image.prefix, name), value }));
  const pod = { name: 'POD_NAME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } };
  const words = run.split(' ');
  const file = { command: ['/opt/kafka/bin/kafka-server-start.sh', '/etc/kafka-config/server.properties'] };
  switch (delivery) {
    case 'environment':
      return { env: [pod, ...env], ...(image.run === undefined ? { command: words } : {}) };
    case 'arguments':
      return {
        env: [pod],
        command: words,
        ...(image.run === undefined
          ? { args: properties.flatMap(([k, v]) => ['--override', `${k}=${v}`]) }
          : { args: env.map(({ name, value }) => `${name}=${value}`) }),
      };
    case 'shell': {
      const exports = env.map(
        ({ name, value }) => `export ${name}="${value.replaceAll('$(POD_NAME)', '$POD_NAME')}"`,
      );
      return { env: [pod], command: ['bash', '-c', [...exports, `exec ${run}`].join('\n')] };
    }
    case 'envFrom':
      return {
        envFrom: [{ configMapRef: { name: 'kafka-env' } }],
        ...(image.run === undefined ? { command: words } : {}),
      };
    case 'file':
      return file;
    case 'here-document': {
      const lines = properties.map(([k, v]) => `${k}=${v.replaceAll('$(POD_NAME)', '${POD_NAME}')}`);
      const script = ['cat > /tmp/s.properties <<EOF', 'node.id=${HOSTNAME##*-}', ...lines, 'EOF'];
      const start = 'exec /opt/kafka/bin/kafka-server-start.sh /tmp/s.properties';
      return {
        env: [pod],
        command: ['/bin/sh', '-ec'],
        args: [[...script, 'kafka-storage.sh format -t "$ID" -c /tmp/s.properties', start].join('\n')],
      };
    }
    case 'script file':
      return { command: ['bash', '/etc/kafka-config/start.sh'] };
  }
}

const dataMount = { name: 'data', mountPath: '/var/lib/kafka/data' };
const sources: Partial<Record<Dimensions['storage'], Part>> = {
  'named claim': { persistentVolumeClaim: { claimName: 'kafka-data' } },
  emptyDir: { emptyDir: {} },
  hostPath: { hostPath: { path: '/srv/kafka' } },
};
const claim = (name: string) => ({
  metadata: { name },
  spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
});

/** The manifest that a point of the dimensions stands for. */
export function manifestOf(d: Dimensions): StatefulSet {
  const source = sources[d.storage];
  const claims = d.storage === 'two claims' ? ['data', 'data2'] : d.storage === 'claim' ? ['data'] : [];
  const mounts = [
    ...(d.storage === 'none' ? [] : [dataMount]),
    ...(d.storage === 'two claims' ? [{ name: 'data2', mountPath: '/var/lib/kafka/data2' }] : []),
    { name: 'config', mountPath: '/etc/kafka-config' },
  ];
  const volumes = [
    ...(source === undefined ? [] : [{ name: 'data', ...source }]),
    { name: 'config', configMap: { name: 'kafka-config' } },
  ];
  return {
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: { name: 'kafka', namespace: 'demo' },
    spec: {
      serviceName: 'kafka',
      ...(d.replicas === undefined ? {} : { replicas: d.replicas }),
      selector: { matchLabels: { app: 'kafka' } },
      template: {
        metadata: { labels: { app: 'kafka' } },
        spec: {
          volumes,
          containers: [{ name: 'kafka', image: d.image.image, ...brokerOf(d), volumeMounts: mounts }],
        },
      },
      ...(claims.length === 0 ? {} : { volumeClaimTemplates: claims.map(claim) }),
    },
  };
}
