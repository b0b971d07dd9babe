import fc from 'fast-check';
import type { StatefulSet } from '../model.ts';

/**
 * Kafka StatefulSets as people write them, all of which can be hardened: configured by environment, arguments, a shell before the
 * entrypoint, a mounted file, or not at all; with probes, sidecars, volumes, security contexts and affinities of their own.
 */

type Part = Record<string, unknown>;

const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined, freq: 2 });
const some = <T>(...values: T[]) => fc.constantFrom(...values);

/** A record without the keys that came out undefined: a manifest has a field or has not. */
const part = (fields: Record<string, fc.Arbitrary<unknown>>): fc.Arbitrary<Part> =>
  fc.record(fields).map((r) => Object.fromEntries(Object.entries(r).filter(([, v]) => v !== undefined)));

const literal = (name: string, value: string) => ({ name, value });
const field = (name: string, fieldPath: string) => ({ name, valueFrom: { fieldRef: { fieldPath } } });

const identities: fc.Arbitrary<Part[]> = some<Part[]>(
  [],
  [literal('KAFKA_NODE_ID', '1')],
  [literal('KAFKA_BROKER_ID', '0')],
  [field('POD_NAME', 'metadata.name')],
  [field('KAFKA_NODE_ID', "metadata.labels['apps.kubernetes.io/pod-index']")],
  [field('KAFKA_NODE_ID', 'metadata.name')],
  [literal('KAFKA_NODE_ID', '1'), literal('KAFKA_CONTROLLER_QUORUM_VOTERS', '1@localhost:9093')],
  [literal('CLUSTER_ID', '4L6g3nShT-eMCtK--X86sw')],
  [literal('CLUSTER_ID', '')],
);

const listenerSets: fc.Arbitrary<Part[]> = some<Part[]>(
  [],
  [
    literal('KAFKA_PROCESS_ROLES', 'broker,controller'),
    literal('KAFKA_LISTENERS', 'PLAINTEXT://:9092,CONTROLLER://:9093'),
    literal('KAFKA_CONTROLLER_LISTENER_NAMES', 'CONTROLLER'),
    literal('KAFKA_LISTENER_SECURITY_PROTOCOL_MAP', 'CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT'),
  ],
  [
    literal('KAFKA_LISTENERS', 'BROKERS://:19092,APPS://:29092,QUORUM://:9091'),
    literal('KAFKA_CONTROLLER_LISTENER_NAMES', 'QUORUM'),
    literal('KAFKA_INTER_BROKER_LISTENER_NAME', 'BROKERS'),
    literal('KAFKA_LISTENER_SECURITY_PROTOCOL_MAP', 'BROKERS:PLAINTEXT,APPS:PLAINTEXT,QUORUM:PLAINTEXT'),
    literal('KAFKA_ADVERTISED_LISTENERS', 'APPS://localhost:29092,BROKERS://$(POD_NAME):19092'),
  ],
  [literal('KAFKA_LISTENERS', 'PLAINTEXT://:9093,CONTROLLER://:9094')],
  [literal('KAFKA_SECURITY_INTER_BROKER_PROTOCOL', 'PLAINTEXT')],
);

const tuning: fc.Arbitrary<Part[]> = fc.subarray([
  literal('KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR', '1'),
  literal('KAFKA_MIN_INSYNC_REPLICAS', '1'),
  literal('KAFKA_DEFAULT_REPLICATION_FACTOR', '3'),
  literal('KAFKA_AUTO_CREATE_TOPICS_ENABLE', 'true'),
  literal('KAFKA_UNCLEAN_LEADER_ELECTION_ENABLE', 'true'),
  literal('KAFKA_LOG_RETENTION_HOURS', '24'),
  literal('KAFKA_HEAP_OPTS', '-Xmx1g -Xms1g'),
  literal('KAFKA_JMX_PORT', '9999'),
  literal('KAFKA_LOG_DIRS', '/var/lib/kafka/data/logs'),
  literal('KAFKA_CONTROLLED_SHUTDOWN_ENABLE', 'false'),
  literal('EMPTY', ''),
]);

const environment = fc
  .tuple(identities, listenerSets, tuning)
  .map((lists) => lists.flat())
  .chain((list) => fc.shuffledSubarray(list, { minLength: list.length }));

const entrypoint = '/etc/kafka/docker/run';
const scripts = some(
  `export KAFKA_NODE_ID=\${HOSTNAME##*-}\nexec ${entrypoint}`,
  `set -e\nKAFKA_NODE_ID=$((\${HOSTNAME##*-} + 1)) ${entrypoint}`,
  `# ids from the ordinal\n[[ $(hostname) =~ -([0-9]+)$ ]]; export KAFKA_NODE_ID=\${BASH_REMATCH[1]}; ${entrypoint}`,
  `export KAFKA_ADVERTISED_LISTENERS="PLAINTEXT://$(hostname -f):9092" && exec ${entrypoint}`,
  `exec ${entrypoint} KAFKA_LOG_RETENTION_HOURS=12`,
  `export KAFKA_PROCESS_ROLES=broker,controller; exec ${entrypoint}`,
);

const starts: fc.Arbitrary<Part> = fc.oneof(
  { weight: 3, arbitrary: fc.constant({}) },
  some<Part>(
    { args: [entrypoint] },
    { command: [entrypoint] },
    { command: [entrypoint], args: ['KAFKA_LOG_RETENTION_HOURS=48'] },
    { args: [entrypoint, 'KAFKA_LOG_RETENTION_HOURS=48'] },
  ),
  scripts.map((script) => ({ command: ['/bin/bash', '-c', script] })),
  scripts.map((script) => ({ command: ['bash', '-ec'], args: [script] })),
);

const handlers = some<Part>(
  { tcpSocket: { port: 9092 } },
  { tcpSocket: { port: 29092 } },
  { tcpSocket: { port: 'kafka' } },
  { exec: { command: ['sh', '-c', 'nc -z localhost 9092'] } },
  { exec: { command: ['/opt/kafka/bin/kafka-topics.sh', '--bootstrap-server', 'localhost:9092', '--list'] } },
);

/** A probe of the user's own. */
export const probes = fc
  .tuple(handlers, part({ periodSeconds: maybe(some(3, 10, 20)), initialDelaySeconds: maybe(some(15)) }))
  .map(([handler, timing]) => ({ ...handler, ...timing }));

const containerSecurity = some<Part>(
  { runAsUser: 1000 },
  { runAsUser: 0 },
  { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
  { readOnlyRootFilesystem: false },
  { capabilities: { add: ['NET_BIND_SERVICE'] } },
  { privileged: true },
);

const podSecurity = some<Part>(
  { fsGroup: 1000 },
  { fsGroup: 2000, runAsUser: 1001 },
  { runAsNonRoot: true },
  { seccompProfile: { type: 'RuntimeDefault' } },
);

const affinities = some<Part>(
  {},
  { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [] } } },
  {
    podAntiAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: [
        { labelSelector: { matchLabels: { app: 'kafka' } }, topologyKey: 'kubernetes.io/hostname' },
      ],
    },
  },
);

/** A spread constraint of the user's own. */
export const spreads = fc
  .tuple(
    some('topology.kubernetes.io/zone', 'kubernetes.io/hostname'),
    some('DoNotSchedule', 'ScheduleAnyway'),
    some<Part>({}, { labelSelector: { matchLabels: { app: 'kafka' } } }),
  )
  // Without a selector, one for zones would be ours to the letter once it is merged with ours.
  .filter(([key, , selector]) => key === 'kubernetes.io/hostname' || 'labelSelector' in selector)
  .map(([topologyKey, whenUnsatisfiable, selector]) => ({
    maxSkew: 1,
    topologyKey,
    whenUnsatisfiable,
    ...selector,
  }));

const sidecar = {
  name: 'exporter',
  image: 'registry.corp:5000/tools/exporter:1.2',
  args: ['--port', '5556'],
  ports: [{ containerPort: 5556 }],
  env: [literal('WARDEN_OF_THE_NORTH', 'yes')],
  volumeMounts: [{ name: 'data', mountPath: '/data', readOnly: true }],
};

/** Hooks of the user's own: those behind which ours can stand, and those behind which it cannot. */
export const lifecycles = some<Part>(
  { preStop: { exec: { command: ['/bin/sh', '-c', 'sleep 5; touch /tmp/stopped'] } } },
  { preStop: { exec: { command: ['/opt/kafka/bin/kafka-server-stop.sh'] } }, stopSignal: 'SIGTERM' },
  { postStart: { exec: { command: ['touch', '/tmp/started'] } } },
  { preStop: { sleep: { seconds: 5 } } },
  { preStop: { httpGet: { port: 8081, path: '/stop' } } },
);

const dataMount = { name: 'data', mountPath: '/var/lib/kafka/data' };
const fileMount = { name: 'config', mountPath: '/mnt/shared/config' };

const broker = fc
  .tuple(
    some(
      'apache/kafka:4.1.0',
      'apache/kafka:3.9.1',
      'registry.corp:5000/mirror/apache/kafka:4.0.0',
      'apache/kafka',
      'docker.io/apache/kafka@sha256:' + 'ab'.repeat(32),
    ),
    environment,
    starts,
    part({
      readinessProbe: maybe(probes),
      livenessProbe: maybe(probes),
      startupProbe: maybe(probes),
      lifecycle: maybe(lifecycles),
      securityContext: maybe(containerSecurity),
      resources: maybe(some({}, { requests: { memory: '1Gi' } })),
      imagePullPolicy: maybe(some('IfNotPresent', 'Always')),
      ports: maybe(
        some(
          [{ name: 'kafka', containerPort: 9092 }],
          [{ containerPort: 9092 }, { containerPort: 9093, protocol: 'TCP' }],
          [{ name: 'kafka', containerPort: 29092 }],
        ),
      ),
    }),
  )
  .map(([image, env, start, rest]): Part => ({
    name: 'kafka',
    image,
    ...(env.length > 0 ? { env } : {}),
    ...start,
    ...rest,
  }));

interface Choices {
  broker: Part;
  storage: 'claim' | 'emptyDir' | 'hostPath' | 'none';
  mounted: boolean;
  sidecar: 'before' | 'after' | 'none';
}

const volumeSources = {
  claim: undefined,
  emptyDir: { emptyDir: {} },
  hostPath: { hostPath: { path: '/srv/kafka' } },
  none: undefined,
};

function podOf({ broker, storage, mounted, sidecar: beside }: Choices): Part {
  const mounts = [...(storage === 'none' ? [] : [dataMount]), ...(mounted ? [fileMount] : [])];
  const source = volumeSources[storage];
  const volumes = [
    ...(source === undefined ? [] : [{ name: 'data', ...source }]),
    ...(mounted ? [{ name: 'config', configMap: { name: 'kafka-config' } }] : []),
  ];
  const kafka = { ...broker, ...(mounts.length > 0 ? { volumeMounts: mounts } : {}) };
  const exporter = storage === 'none' ? { ...sidecar, volumeMounts: [] } : sidecar;
  const containers = { before: [exporter, kafka], after: [kafka, exporter], none: [kafka] }[beside];
  return { containers, ...(volumes.length > 0 ? { volumes } : {}) };
}

const pods = fc
  .tuple(
    fc
      .record({
        broker,
        storage: some<Choices['storage']>('claim', 'claim', 'claim', 'emptyDir', 'hostPath', 'none'),
        mounted: fc.boolean(),
        sidecar: some<Choices['sidecar']>('none', 'before', 'after'),
      })
      .map((choices) => ({ ...podOf(choices), storage: choices.storage })),
    part({
      securityContext: maybe(podSecurity),
      affinity: maybe(affinities),
      topologySpreadConstraints: maybe(fc.array(spreads, { maxLength: 1 })),
      terminationGracePeriodSeconds: maybe(some(10, 30, 360, 600)),
      enableServiceLinks: maybe(fc.boolean()),
      serviceAccountName: maybe(some('kafka')),
      tolerations: maybe(some([{ key: 'kafka', operator: 'Exists' }])),
    }),
  )
  .map(([pod, rest]): Part & { storage: unknown } => ({ ...pod, ...rest }));

const claim = {
  metadata: { name: 'data' },
  spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
};

/** StatefulSets that `harden` takes into its care in mode `harden`. */
export const manifests: fc.Arbitrary<StatefulSet> = fc
  .record({
    pod: pods,
    spec: part({
      replicas: maybe(fc.nat({ max: 7 })),
      serviceName: maybe(some('kafka', 'kafka-headless')),
      podManagementPolicy: maybe(some('Parallel', 'OrderedReady')),
      ordinals: maybe(some({ start: 5 })),
      updateStrategy: maybe(
        some(
          { type: 'RollingUpdate' },
          { type: 'OnDelete' },
          { rollingUpdate: { partition: 0 } },
          { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 2 } },
        ),
      ),
      revisionHistoryLimit: maybe(some(3, 10)),
    }),
    annotations: maybe(some({ team: 'streams' }, {})),
    labels: maybe(some({ app: 'kafka' })),
    podAnnotations: maybe(some({ 'prometheus.io/scrape': 'true' })),
  })
  .map(
    ({ pod: { storage, ...pod }, spec, annotations, labels, podAnnotations }) =>
      ({
        apiVersion: 'apps/v1',
        kind: 'StatefulSet',
        metadata: {
          name: 'kafka',
          namespace: 'demo',
          ...(annotations ? { annotations } : {}),
          ...(labels ? { labels } : {}),
        },
        spec: {
          ...spec,
          selector: { matchLabels: { app: 'kafka' } },
          template: {
            metadata: {
              labels: { app: 'kafka' },
              ...(podAnnotations ? { annotations: podAnnotations } : {}),
            },
            spec: pod,
          },
          ...(storage === 'claim' ? { volumeClaimTemplates: [claim] } : {}),
        },
      }) as unknown as StatefulSet,
  );
